# in: arch/x86/mm/pat/Makefile
$a obj-$(CONFIG_X86_ENC_KUNIT_TEST)	+= enc-test.o
