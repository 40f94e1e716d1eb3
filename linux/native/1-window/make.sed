# in: arch/x86/coco/sev/Makefile
/^obj-y += core\.o/s/$/ window.o/
