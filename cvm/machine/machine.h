/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The emulated confidential machine, from the inside.
 *
 * main.c boots it, svm.c runs CPUs, npt.c holds page states and nested page
 * tables, smp.c the other CPUs; none of them knows a platform. A platform is
 * a struct platform (plain.c, snp.c, tdx.c, hyperv.c). host.c decides how the
 * host behaves. The machine is identity-mapped and single-rooted: a guest
 * physical address without its private/shared bit is the machine's address.
 */
#ifndef CVM_MACHINE_H
#define CVM_MACHINE_H

#include "types.h"
#include "svm.h"
#include "abi/guest-abi.h"

#define MAX_CPUS	8u

/*
 * Physical memory (--memory M ends at ram_end):
 *   0         .. 0xa0000     guest (from 0x9f000 on: BIOS data); boot data
 *   0xa0000   .. 0x100000    legacy ROM and VGA, in both views
 *   0x100000  .. 0xf00000    the machine itself
 *   0xf00000  .. 0x1000000   firmware tables, guest-private
 *   0x1000000 .. ram_end     guest
 */
#define LOW_END		0x9f000UL
#define LEGACY_BASE	0xa0000UL
#define LEGACY_END	0x100000UL
#define MACHINE_BASE	0x100000UL
#define MACHINE_END	0xf00000UL
#define FIRMWARE_BASE	0xf00000UL
#define FIRMWARE_END	0x1000000UL
#define MAX_RAM		0x80000000UL

/* Within low memory, what the machine leaves there for the guest's start. */
#define BOOT_PT		0x70000UL	/* six pages of page tables */
#define BOOT_STACK	0x77000UL	/* one page, grows down from 0x78000 */
#define BOOT_PARAMS	0x80000UL	/* Linux zero page or struct cvm_boot */
#define BOOT_CMDLINE	0x81000UL
#define BOOT_GDT	0x82000UL
#define TRAMPOLINE	0x8000UL	/* for the machine's own APs */

/* Within the firmware area. */
#define FW_ACPI		0xf00000UL
#define FW_EFI		0xf60000UL
#define FW_MAILBOX	0xf80000UL	/* ACPI wakeup mailbox (TDX) */
#define FW_AP_PT	0xf81000UL	/* page tables APs wake up with */
#define FW_AP_GDT	0xf88000UL
#define FW_SNP		0xf90000UL	/* CC blob, secrets, CPUID page */
#define FW_PV_GHCB	0xff0000UL	/* paravisor's GHCB pages, shared */

/* Registers that VMRUN does not switch; start.S knows the order. */
struct regs {
	u64 rcx, rdx, rbx, rbp, rsi, rdi;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
};

struct vcpu {
	struct regs r;
	u64 vmcb_pa;			/* start.S: at sizeof(struct regs) */
	struct vmcb *v;
	unsigned int id;
	u32 apic_id;
	volatile u32 go;		/* the guest may start here */
	volatile u32 running;		/* it runs guest code: kick it */
	volatile u32 kick;		/* shootdown wanted, cleared by it */
	volatile u32 nmi;		/* the guest wants an NMI here */
	volatile u32 asleep, wake;	/* smp.c: wait_for() */
	u32 flush;			/* TLB_CONTROL at the next VMRUN */
	u64 guest_time;			/* ticks spent in the guest */
	u64 entered;
	u32 event, event_error;		/* delivery that the exit interrupted */

	/* SNP and vTOM on SNP */
	u64 ghcb;
	/*
	 * This CPU met what the host had done. Linux ends itself at a #VC that
	 * it cannot handle, and prints first: by then it has had other ones.
	 */
	bool forced;
	/* TDX: what TDG.VP.VEINFO.GET will return */
	struct {
		u32 valid, length, info;
		u64 reason, qualification, gla, gpa;
	} ve;
};

struct config {
	enum cvm_platform platform;
	unsigned int cpus;
	enum cvm_host host;
	u64 host_arg;
	u64 seed;
	bool deterministic;
	unsigned int icount_shift;
	bool lazy;			/* leave memory unaccepted for Linux */
	bool iommu;
	unsigned int isolation;		/* vTOM: 1 VBS, 2 SNP, 3 TDX */
};

/* An access that nested paging did not allow. */
struct access {
	u64 gpa;			/* without private/shared bit */
	u64 raw;			/* with it */
	u64 error;			/* EXITINFO1 */
	bool private;			/* by which mapping */
	unsigned int state;		/* CVM_STATE_* of the page */
};

struct platform {
	const char *name;
	bool bit_is_private;		/* polarity of GUEST_BIT */
	bool zeroes;			/* contents after going private */
	bool large;			/* keeps 2M page states */
	void (*setup)(void);
	void (*setup_cpu)(struct vcpu *c);
	void (*cpuid)(struct vcpu *c, u32 leaf, u32 sub, u32 out[4]);
	/* true: done; the core's own handling otherwise */
	bool (*msr_read)(struct vcpu *c, u32 msr, u64 *value, bool *ok);
	bool (*msr_write)(struct vcpu *c, u32 msr, u64 value, bool *ok);
	bool (*exit)(struct vcpu *c);
	/* an access to RAM in the wrong state; false: the guest is lost */
	bool (*mismatch)(struct vcpu *c, const struct access *a);
	/* an access to something else than RAM */
	void (*mmio)(struct vcpu *c, const struct access *a);
	/* true when the guest asked this CPU to start meanwhile */
	bool (*ap_poll)(struct vcpu *c);
};

#define P(name, ...) extern const struct platform name##_platform;
PLATFORMS_MACHINE(P)
#undef P

extern struct config config;
extern const struct platform *platform;
extern struct vcpu vcpus[MAX_CPUS];
extern u64 ram_end;
extern u64 tsc_khz;
extern bool elf_guest;			/* else Linux */

/* start.S */
void vmrun(struct vcpu *c);
void ap_sleep(volatile u32 *flag);
bool rdmsr_safe(u32 msr, u64 *value);
bool wrmsr_safe(u32 msr, u64 value);
void halt_stub(void);

/* lib.c */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
bool word_value(const char *s, const char *name, const char **value);
u64 parse_u64(const char *s, const char **end);
u64 random64(u64 *state);
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);
void vformat(char *buf, size_t size, const char *fmt, va_list ap);

/* main.c */
void *pool_pages(unsigned int n);
__attribute__((noreturn)) void halt_forever(void);

/* svm.c */
void intercepts_init(void);
void vcpu_init(struct vcpu *c);
__attribute__((noreturn)) void vcpu_run(struct vcpu *c);
void intercept_io(u16 port, unsigned int n);
void intercept_all_io(void);
void intercept_msr(u32 msr, bool read, bool write);
void enter_long_mode(struct vcpu *c, u64 pt, u64 gdt, u64 rip, u64 rsp);
void build_boot_tables(u64 at);
void inject(struct vcpu *c, unsigned int vector);
void inject_error(struct vcpu *c, unsigned int vector, u32 error);
bool inject_frame(struct vcpu *c, unsigned int vector, u32 error);

/* cpu.c: what every platform's CPUs have in common */
void guest_cpuid(struct vcpu *c, u32 leaf, u32 sub, u32 out[4]);
bool guest_rdmsr(struct vcpu *c, u32 msr, u64 *value);
bool guest_wrmsr(struct vcpu *c, u32 msr, u64 value);
u64 port_read(u16 port, unsigned int size);
void port_write(struct vcpu *c, u16 port, unsigned int size, u64 value);
u64 mmio_read(u64 at, unsigned int size);
void mmio_write(u64 at, unsigned int size, u64 value);
void calibrate_tsc(void);

/* gmem.c: the guest's memory through its own page tables */
struct mapping {
	u64 hpa;			/* machine address of the byte */
	u64 leaf;			/* the leaf entry, 0 when unpaged */
	unsigned int level;		/* 0 4K, 1 2M, 2 1G */
};
bool guest_map(struct vcpu *c, u64 va, struct mapping *m);
bool guest_read(struct vcpu *c, u64 va, void *to, size_t n);
bool guest_write(struct vcpu *c, u64 va, const void *from, size_t n);
size_t guest_code(struct vcpu *c, u8 code[4]);

/* npt.c */
void npt_init(void);
u64 npt_root(void);
u64 npt_unpaged_root(void);
u64 npt_shared_table(void);
void npt_map_device(u64 gpa);
bool is_ram(u64 gpa);
unsigned int page_state(u64 gpa);
void page_set(u64 gpa, unsigned int state);
void region_set(u64 gpa, unsigned int state);
void page_by_host(u64 gpa, bool by_host);
bool region_large(u64 gpa);
void region_set_large(u64 gpa, bool large);
bool region_uniform(u64 gpa, unsigned int state);

/* convert.c: conversions as a faithful host makes them, and contents */
unsigned int convert_pages(u64 gpa, u64 pages, bool to_shared, bool large);
void convert_finish(struct vcpu *c);
void convert_twice(u64 gpa);
void set_host_flush(bool on);
void page_scramble(u64 gpa);
void count_conversion(bool to_shared, u64 pages);

/* host.c: what the host does with a call */
enum host_act {
	HOST_HONEST,
	HOST_REFUSE,		/* an error, nothing done */
	HOST_HALF,		/* an error, half of it done */
	HOST_LIE,		/* success, nothing done */
	HOST_LIE_HALF,		/* success, half of it done */
	HOST_EARLY,		/* stops early and says so: legal */
	HOST_SPIN,		/* call again, for ever, no progress */
	HOST_OUTSIDE,		/* an address or count outside the request */
	HOST_STRAY,		/* garbage where a defined value belongs */
	HOST_SMALL,		/* 4K entries where 2M were asked for */
	HOST_TWICE,		/* private and already accepted */
	HOST_ACTS,
};
enum host_act host_decide(u32 able);
void host_hears_of(u64 gpa);
void host_lied(u64 gpa, u64 pages);
u64 host_random(void);
void host_set(enum cvm_host kind, u64 arg);
enum cvm_host host_kind(void);
void host_moment(struct vcpu *c);
void host_writer(u64 gpa, u64 bytes);
bool host_convert(struct vcpu *c, u64 gpa, unsigned int state);
void handle_mismatch(struct vcpu *c, const struct access *a);
bool implicit_conversion(struct vcpu *c, const struct access *a);

/* smp.c */
void machine_cpu_up(void);
void machine_cpu_start(u32 apic_id, void (*entry)(u64), u64 argument,
		       unsigned int stack_pages);
void start_machine_aps(void);
struct vcpu *vcpu_of(u64 apic_id);
void machine_lock(struct vcpu *c);
void machine_unlock(void);
void kick_others(struct vcpu *c);
void kick_ack(struct vcpu *c);
void wait_interrupt(struct vcpu *c);
void icr_write(struct vcpu *c, u64 value);
void vcpu_go(struct vcpu *t);
void wake_idle_cpus(void);
__attribute__((noreturn)) void vcpu_park(struct vcpu *c);
void drain_nmi(void);

/* stats.c */
extern u64 counters[CVM_N_COUNTERS];
void count(enum cvm_counter which, u64 n);
void count_most(enum cvm_counter which, u64 n);
u64 counter(enum cvm_counter which);
void expect_violations(u64 n);
__attribute__((format(printf, 3, 4)))
void violation(struct vcpu *c, u64 gpa, const char *fmt, ...);
bool forced_by_host(struct vcpu *c, u64 gpa);
const char *whose_doing(bool forced);
__attribute__((noreturn)) void machine_end(bool passed, const char *why);
__attribute__((noreturn, format(printf, 2, 3)))
void machine_stop(struct vcpu *c, const char *fmt, ...);
__attribute__((noreturn, format(printf, 3, 4)))
void guest_lost(struct vcpu *c, bool forced, const char *fmt, ...);
__attribute__((noreturn, format(printf, 1, 2)))
void machine_cannot(const char *fmt, ...);

/* debug.c */
void debug_call(struct vcpu *c);

/* boot protocols: linux.c, elf.c; firmware.c */
struct blob;
void boot_linux(struct blob *b);
void boot_elf(struct blob *b);
void acpi_build(u64 rsdp);
void efi_build(u8 *zero_page, u64 keep_from);
void inject_vc(struct vcpu *c, u32 code);
void vmgexit(struct vcpu *c);
bool tdcall(struct vcpu *c);
void snp_build_blob(u8 *zero_page);

/* vtd.c */
void vtd_setup(void);
void vtd_invalidate(void);
void vtd_report(void);

static inline void outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outw(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u16 inw(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u64 rdmsr(u32 msr)
{
	u32 a, d;

	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(msr));
	return a | (u64)d << 32;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "a"((u32)v), "d"((u32)(v >> 32)), "c"(msr)
			 : "memory");
}

static inline u64 rdtsc(void)
{
	u32 a, d;

	__asm__ volatile("rdtsc" : "=a"(a), "=d"(d));
	return a | (u64)d << 32;
}

static inline void cpuid(u32 leaf, u32 sub, u32 out[4])
{
	__asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]),
			 "=d"(out[3]) : "a"(leaf), "c"(sub));
}

static inline void pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

#endif
