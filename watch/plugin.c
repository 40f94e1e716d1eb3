// SPDX-License-Identifier: GPL-2.0
/*
 * `airlock watch` inside QEMU: what the CPUs do becomes events for the logic.
 *
 *   out=FILE     what was found, a line of JSON each (docs/watch.md)
 *   ram=FILE     the file that is QEMU's memory
 *   states=HEX   where the machine keeps the pointer to its page states
 *   platform=N   enum watch_platform
 *   cpus=N       of the guest
 *   from=boot    watch from the first conversion, or
 *   from=module  from the first instruction of a module: a live patch
 *   turns=0/1    do QEMU's CPUs take turns on one thread?
 *   low=0/1      has the kernel code in the lower half? Then it has no users
 *   honest=0/1   is the host? lies=0/1: or does it even lie?
 *   coherent=0/1, evict=0/1
 *
 * QEMU's CPU 0 is the machine's own; CPU n of the guest is QEMU's n + 1. Code
 * in the upper half of the address space is the kernel's, code of the machine
 * itself lies between 1 and 15 MiB, mapped one to one. Callbacks run on the
 * CPU's own thread: so what a CPU does comes in its order, and what it has
 * done before it tells another comes before what that one does then.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decode.h"
#include "emit.h"
#include "ksyms.h"
#include "qemu-plugin-abi.h"
#include "watch.h"

#define MACHINE_BEGIN	UINT64_C(0x100000)
#define MACHINE_END	UINT64_C(0xf00000)
#define MODULES		UINT64_C(0xffffffffa0000000)
#define MODULES_END	UINT64_C(0xffffffffff000000)
#define KERNEL_HALF	UINT64_C(0xffff800000000000)
#define RETURNS		1024u

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_VERSION;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct watch *watch;
static struct watch_config config;
static int ram_file;
static uint64_t states_pointer;
static bool from_module, begun, in_modules, in_turns;
static uint64_t code_begin = KERNEL_HALF;
static struct emit *out;

/* By CPU; each only on its own thread. */
static struct {
	bool on;
	bool asking;		/* its last event was a call */
	bool off;		/* taken offline, and not started again */
} vcpu[WATCH_CPUS];

static struct ksyms *ksyms;
static bool looked_for_ksyms;
static uint64_t thread_size = 0x4000;
static uint64_t to_private, to_shared, kernel_end, per_cpu;
static uint64_t returns[RETURNS];
/* An ELF guest's airlock_convert_order(), 0: none; where its calls return. */
static uint64_t guest_call;
static uint64_t guest_returns[RETURNS];

/* ---- registers ---- */

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, CR3 = 16, CR4, GS, OTHER_GS, REGS };

static const char *const names[REGS] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	"cr3", "cr4", "gs_base", "k_gs_base",
};
static struct qemu_plugin_register *handles[REGS];

/* They are the same for every CPU. */
static void find_registers(void)
{
	struct plugin_array *a = qemu_plugin_get_registers();
	const struct plugin_register *have = a->data;

	for (unsigned int i = 0; i < a->n; i++)
		for (unsigned int r = 0; r < REGS; r++)
			if (!strcmp(have[i].name, names[r]))
				handles[r] = have[i].handle;
}

/* Of the CPU that runs. */
static uint64_t reg(unsigned int r)
{
	static __thread struct plugin_bytes *b;
	uint64_t v = 0;
	int n;

	if (!b) {
		b = g_byte_array_new();
		find_registers();
	}
	if (!handles[r])
		return 0;
	g_byte_array_set_size(b, 0);
	n = qemu_plugin_read_register(handles[r], b);
	if (n > 0)
		memcpy(&v, b->data, n < 8 ? (size_t)n : 8);
	return v;
}

static uint64_t operand(const struct insn *i)
{
	uint64_t regs[16] = { 0 };

	if (i->base != NO_REGISTER)
		regs[i->base] = reg(i->base);
	if (i->index != NO_REGISTER)
		regs[i->index] = reg(i->index);
	return insn_address(i, regs);
}

static uint64_t memory(uint64_t va)
{
	unsigned int level;
	uint64_t e = watch_lookup(watch, va, &level), pa, v = 0;
	uint64_t in;

	if (!e)
		return 0;
	in = (WATCH_PAGE << (9 * level)) - 1;
	pa = (e & WATCH_ADDR & ~in) | (va & in);
	if (pa + 8 <= config.ram_size)
		memcpy(&v, config.ram + pa, 8);
	return v;
}

/* ---- which CPU ---- */

/* Linux: where its own data are. Else the machine has put the number there. */
static unsigned int owner_of(uint64_t gs)
{
	unsigned int cpu = 0;

	if (!per_cpu)
		return gs < WATCH_CPUS && config.low ? (unsigned int)gs :
			WATCH_CPUS;
	while (gs && cpu < config.cpus && cpu < WATCH_CPUS &&
	       memory(per_cpu + 8 * cpu) != gs)
		cpu++;
	return gs && cpu < config.cpus ? cpu : WATCH_CPUS;
}

/*
 * Where QEMU's CPUs take turns on one thread, they share translated code, and
 * it names whichever CPU it was translated for. So a CPU is told by its GS
 * base; on the way into the kernel that is still the other one. What has
 * none yet is CPU 0, early in boot.
 */
static unsigned int cpu_in_turns(void)
{
	unsigned int cpu = owner_of(reg(GS));

	if (cpu == WATCH_CPUS)
		cpu = owner_of(reg(OTHER_GS));
	return cpu == WATCH_CPUS ? 0 : cpu;
}

static unsigned int this_cpu(unsigned int qemu_cpu)
{
	return in_turns ? cpu_in_turns() : qemu_cpu - 1;
}

/* ---- instructions of the kernel ---- */

struct special {
	struct insn insn;
	uint64_t rip;
};

/* The first of them that a CPU executes shows that it runs, and where. */
static void cpu_runs(unsigned int cpu)
{
	if (vcpu[cpu].on)
		return;
	vcpu[cpu].on = true;
	watch_cr3(watch, cpu, reg(CR3));
}

static void tdcall(unsigned int cpu, uint64_t rip)
{
	uint64_t leaf = reg(RAX), rcx = reg(RCX);

	watch_drain(watch, cpu);
	if (leaf == 6)
		watch_accept(watch, cpu, (rcx & WATCH_ADDR) / WATCH_PAGE,
			     rcx & 7 ? 512 : 1, rip);
	else
		watch_call(watch, cpu, rip);
}

static void invpcid(unsigned int cpu, const struct insn *i)
{
	uint64_t at = operand(i);

	watch_invpcid(watch, cpu, reg(i->reg), memory(at) & 0xfff,
		      memory(at + 8));
}

static void execute(unsigned int cpu, const struct special *s)
{
	switch (s->insn.kind) {
	case INSN_INVLPG:
		watch_invlpg(watch, cpu, operand(&s->insn));
		break;
	case INSN_CR3:
		watch_cr3(watch, cpu, reg(s->insn.base));
		break;
	case INSN_CR4:
		watch_cr4(watch, cpu, reg(CR4), reg(s->insn.base));
		break;
	case INSN_INVPCID:
		invpcid(cpu, &s->insn);
		break;
	case INSN_CLFLUSH:
		watch_clflush(watch, cpu, operand(&s->insn), s->rip);
		break;
	case INSN_WBINVD:
		watch_wbinvd(watch, cpu);
		break;
	case INSN_PVALIDATE:
		watch_pvalidate(watch, cpu, reg(RAX), reg(RCX) & 1,
				reg(RDX) & 1, s->rip);
		break;
	case INSN_TDCALL:
		tdcall(cpu, s->rip);
		break;
	case INSN_HYPERCALL:
		watch_drain(watch, cpu);
		watch_call(watch, cpu, s->rip);
		break;
	case INSN_INVLPGB:
		watch_invlpgb(watch, cpu, reg(RAX), reg(RCX));
		break;
	case INSN_TLBSYNC:
		watch_tlbsync(watch, cpu);
		break;
	default:
		break;
	}
}

/* Which CPU it is, and the lock taken; false: none that is watched. */
static bool enter(unsigned int qemu_cpu, unsigned int *cpu)
{
	*cpu = this_cpu(qemu_cpu);
	if (*cpu >= WATCH_CPUS || vcpu[*cpu].off)
		return false;
	pthread_mutex_lock(&lock);
	return true;
}

static void leave(void)
{
	pthread_mutex_unlock(&lock);
}

/* Most of them come while no store is waiting. */
static void on_drain(unsigned int qemu_cpu, void *data)
{
	unsigned int cpu;

	(void)data;
	if (!watch_wants_drains(watch) || !enter(qemu_cpu, &cpu))
		return;
	watch_drain(watch, cpu);
	leave();
}

static void on_wrmsr(unsigned int qemu_cpu, void *data)
{
	uint32_t msr;
	unsigned int cpu;

	(void)data;
	if (!watch_wants_drains(watch) || !enter(qemu_cpu, &cpu))
		return;
	msr = (uint32_t)reg(RCX);
	if (insn_msr_drains(msr))
		watch_drain(watch, cpu);
	else if (insn_sends_ipi(msr))
		watch_ipi(watch, cpu);
	leave();
}

static bool asks(enum insn_kind k)
{
	return k == INSN_PVALIDATE || k == INSN_TDCALL || k == INSN_HYPERCALL;
}

/* Whose thread it is matters of these alone. */
static bool flushes(enum insn_kind k)
{
	return k == INSN_INVLPG || k == INSN_CR3 || k == INSN_CR4 ||
		k == INSN_INVPCID || k == INSN_INVLPGB || k == INSN_TLBSYNC;
}

/* A stack is as long as it is aligned. */
static uint64_t thread_of(uint64_t sp)
{
	return sp & ~(thread_size - 1);
}

static void on_special(unsigned int qemu_cpu, void *data)
{
	const struct special *s = data;
	unsigned int cpu;

	if (!enter(qemu_cpu, &cpu))
		return;
	cpu_runs(cpu);
	vcpu[cpu].asking = asks(s->insn.kind);
	watch_at(watch, cpu, s->rip,
		 flushes(s->insn.kind) ? thread_of(reg(RSP)) : 0);
	execute(cpu, s);
	leave();
}

static void begin(void)
{
	begun = true;
	watch_begin(watch);
	emit_begin(out, ksyms_count(ksyms));
}

static void on_convert(unsigned int qemu_cpu, void *data)
{
	uint64_t sp = reg(RSP), back;
	unsigned int cpu;

	if (!enter(qemu_cpu, &cpu))
		return;
	cpu_runs(cpu);
	if (!begun && !from_module)
		begin();
	back = memory(sp);
	watch_convert(watch, cpu, reg(RDI), reg(RSI) & UINT32_MAX,
		      (uint64_t)(uintptr_t)data == to_shared, back,
		      thread_of(sp));
	returns[back % RETURNS] = back;
	leave();
}

/*
 * fixup_irqs(): from here on no other CPU asks this one for a flush; they all
 * wait in stop_machine() just now. It goes to sleep. What it holds it loses when
 * it is started again: start_secondary() is the first of that.
 */
static void on_offline(unsigned int qemu_cpu, void *data)
{
	unsigned int cpu;

	(void)data;
	if (!enter(qemu_cpu, &cpu))
		return;
	vcpu[cpu].off = true;
	watch_cpu_off(watch, cpu);
	leave();
}

static void on_online(unsigned int qemu_cpu, void *data)
{
	unsigned int cpu = this_cpu(qemu_cpu);

	(void)data;
	if (cpu >= WATCH_CPUS || !vcpu[cpu].off)
		return;
	vcpu[cpu].off = false;
	enter(qemu_cpu, &cpu);
	watch_cr3(watch, cpu, reg(CR3));
	leave();
}

/* __switch_to_asm(prev, next) */
static void on_switch(unsigned int qemu_cpu, void *data)
{
	unsigned int cpu;

	(void)data;
	if (!enter(qemu_cpu, &cpu))
		return;
	if (watch_wants_switches(watch, cpu))
		watch_switch(watch, cpu, reg(RDI), reg(RSI));
	leave();
}

static void on_return(unsigned int qemu_cpu, void *data)
{
	uint64_t sp = reg(RSP);
	unsigned int cpu;

	(void)data;
	if (!enter(qemu_cpu, &cpu))
		return;
	watch_converted(watch, cpu, thread_of(sp),
			(uint32_t)reg(RAX));
	leave();
}

#define GUEST_RANGES	8u

/* airlock_convert_order(a, ranges, n, to, order, outcome) */
static void on_guest_call(unsigned int qemu_cpu, void *data)
{
	struct watch_range r[GUEST_RANGES];
	uint64_t at = reg(RSI), back;
	unsigned int cpu, n = (unsigned int)reg(RDX);

	(void)data;
	if (!enter(qemu_cpu, &cpu))
		return;
	cpu_runs(cpu);
	if (!begun)
		begin();
	back = memory(reg(RSP));
	for (unsigned int i = 0; i < n && i < GUEST_RANGES; i++)
		r[i] = (struct watch_range){ memory(at + 16 * i),
					     memory(at + 16 * i + 8) };
	watch_guest_call(watch, cpu, r, n, (uint32_t)reg(RCX), back);
	guest_returns[back % RETURNS] = back;
	leave();
}

static void on_guest_return(unsigned int qemu_cpu, void *data)
{
	unsigned int cpu;

	(void)data;
	if (!enter(qemu_cpu, &cpu))
		return;
	watch_guest_returned(watch, cpu, (uint32_t)reg(RAX));
	leave();
}

static void on_alias(unsigned int qemu_cpu, void *data)
{
	unsigned int cpu;

	(void)data;
	if (!enter(qemu_cpu, &cpu))
		return;
	watch_alias(watch, cpu);
	leave();
}

static void on_module(unsigned int qemu_cpu, void *data)
{
	(void)qemu_cpu;
	(void)data;
	if (in_modules)
		return;
	pthread_mutex_lock(&lock);
	in_modules = true;
	if (from_module && !begun)
		begin();
	pthread_mutex_unlock(&lock);
}

/* ---- memory ---- */

static uint64_t machine_address(uint32_t info, uint64_t va)
{
	struct qemu_plugin_hwaddr *h = qemu_plugin_get_hwaddr(info, va);

	return h && !qemu_plugin_hwaddr_is_io(h) ?
		qemu_plugin_hwaddr_phys_addr(h) : UINT64_MAX;
}

/*
 * Most stores concern nobody: that is seen first. Which CPU stores costs more
 * to know where they take turns.
 */
static void on_store(unsigned int qemu_cpu, uint32_t info, uint64_t va,
		     void *data)
{
	unsigned int cpu = qemu_cpu - 1, size;
	uint64_t pa;

	if (!in_turns) {
		if (cpu >= WATCH_CPUS)
			return;
		vcpu[cpu].asking = false;
		if (!vcpu[cpu].on)
			return;
	}
	pa = machine_address(info, va);
	if (!watch_wants_store(watch, pa))
		return;
	cpu = this_cpu(qemu_cpu);
	vcpu[cpu].asking = false;
	size = 1u << qemu_plugin_mem_size_shift(info);
	pthread_mutex_lock(&lock);
	watch_store(watch, cpu, pa, size, (uint64_t)(uintptr_t)data);
	pthread_mutex_unlock(&lock);
}

static void on_read(unsigned int qemu_cpu, uint32_t info, uint64_t va,
		    void *data)
{
	unsigned int cpu;

	(void)info;
	(void)data;
	if (!watch_wants_reads(watch) || !enter(qemu_cpu, &cpu))
		return;
	watch_read(watch, cpu, va);
	leave();
}

/* QEMU's CPU 0 is nobody's: what it stores, nobody has asked for. */
static void state_changed(unsigned int qemu_cpu, uint64_t frame)
{
	unsigned int cpu = in_turns || qemu_cpu ? this_cpu(qemu_cpu) : 0;
	bool asked = (in_turns || qemu_cpu) && vcpu[cpu].asking &&
		vcpu[cpu].on;

	if (asked && !begun && !from_module)
		begin();
	watch_state(watch, cpu, frame, asked);
}

/* The machine stores: one byte of its states is one frame. */
static void on_machine_store(unsigned int qemu_cpu, uint32_t info,
			     uint64_t va, void *data)
{
	uint64_t pa, states, size = 1u << qemu_plugin_mem_size_shift(info);

	(void)data;
	memcpy(&states, config.ram + states_pointer, 8);
	if (!states || qemu_cpu > WATCH_CPUS)
		return;
	if (va - states >= config.ram_size / WATCH_PAGE)
		return;
	pa = machine_address(info, va);
	if (pa != va)
		return;
	pthread_mutex_lock(&lock);
	watch_set_states(watch, config.ram + states);
	for (uint64_t i = 0; i < size; i++)
		state_changed(qemu_cpu, pa - states + i);
	pthread_mutex_unlock(&lock);
}

/* ---- translation ---- */

/* The kernel is in one piece of what has been written to so far. */
static struct ksyms *search(void)
{
	off_t at = 0x1000000, end;
	struct ksyms *k = NULL;

	while (!k && (at = lseek(ram_file, at, SEEK_DATA)) >= 0) {
		end = lseek(ram_file, at, SEEK_HOLE);
		k = ksyms_find(config.ram + at, (uint64_t)(end - at),
			       (uint64_t)at);
		at = end;
	}
	return k;
}

/* Functions of the kernel, and what is done when one is entered. */
static struct {
	const char *function, *needs;
	plugin_exec_fn fn;
	uint64_t va;			/* 0: it has none */
} hooks[] = {
	{ "set_memory_encrypted", NULL, on_convert, 0 },
	{ "set_memory_decrypted", NULL, on_convert, 0 },
	{ "vm_unmap_aliases", NULL, on_alias, 0 },
	{ "fixup_irqs", "start_secondary", on_offline, 0 },
	{ "start_secondary", NULL, on_online, 0 },
	{ "__switch_to_asm", NULL, on_switch, 0 },
};
#define HOOKS	(sizeof(hooks) / sizeof(hooks[0]))

static void look_for_ksyms(void)
{
	looked_for_ksyms = true;
	ksyms = search();
	if (!ksyms)
		return;
	to_private = ksyms_address(ksyms, "set_memory_encrypted");
	to_shared = ksyms_address(ksyms, "set_memory_decrypted");
	for (unsigned int i = 0; i < HOOKS; i++)
		if (!hooks[i].needs || ksyms_address(ksyms, hooks[i].needs))
			hooks[i].va = ksyms_address(ksyms, hooks[i].function);
	/* Its stacks are twice as long: arch/x86/include/asm/page_64_types.h. */
	if (ksyms_address(ksyms, "kasan_report"))
		thread_size *= 2;
	per_cpu = ksyms_address(ksyms, "__per_cpu_offset");
	kernel_end = ksyms_address(ksyms, "_end");
	emit_symbols(out, ksyms);
}

static bool is_module(uint64_t va)
{
	return va >= MODULES && va >= kernel_end && va < MODULES_END &&
		(kernel_end || va >= UINT64_C(0xffffffffc0000000));
}

static void on_block(struct qemu_plugin_insn *first, uint64_t va)
{
	if (is_module(va) && !in_modules)
		qemu_plugin_register_vcpu_insn_exec_cb(first, on_module,
			PLUGIN_NO_REGS, NULL);
	for (unsigned int i = 0; va && i < HOOKS; i++)
		if (va == hooks[i].va)
			qemu_plugin_register_vcpu_insn_exec_cb(first,
				hooks[i].fn, PLUGIN_READS_REGS,
				(void *)(uintptr_t)va);
	if (va && va == guest_call)
		qemu_plugin_register_vcpu_insn_exec_cb(first, on_guest_call,
			PLUGIN_READS_REGS, NULL);
	if (guest_returns[va % RETURNS] == va)
		qemu_plugin_register_vcpu_insn_exec_cb(first, on_guest_return,
			PLUGIN_READS_REGS, NULL);
	if (returns[va % RETURNS] == va)
		qemu_plugin_register_vcpu_insn_exec_cb(first, on_return,
			PLUGIN_READS_REGS, NULL);
}

static void on_insn(struct qemu_plugin_insn *q, uint64_t va)
{
	uint8_t code[15];
	size_t n = qemu_plugin_insn_data(q, code, sizeof(code));
	struct insn i = insn_decode(code, n, va);
	struct special *s;

	if (insn_may_store(code, n))
		qemu_plugin_register_vcpu_mem_cb(q, on_store, PLUGIN_NO_REGS,
			PLUGIN_MEM_WRITE, (void *)(uintptr_t)va);
	if (i.kind == INSN_OTHER)
		return;
	if (i.kind == INSN_DRAIN || i.kind == INSN_WRMSR) {
		qemu_plugin_register_vcpu_insn_exec_cb(q, i.kind == INSN_DRAIN ?
			on_drain : on_wrmsr, i.kind == INSN_DRAIN && !in_turns ?
			PLUGIN_NO_REGS : PLUGIN_READS_REGS, NULL);
		return;
	}
	if (i.kind == INSN_READ_BYTE) {
		if (config.platform == WATCH_SNP)
			qemu_plugin_register_vcpu_mem_cb(q, on_read,
				PLUGIN_NO_REGS, PLUGIN_MEM_READ, NULL);
		return;
	}
	if (i.kind == INSN_CALL) {
		uint64_t to = (uint64_t)i.disp;

		if (to && (to == to_private || to == to_shared))
			returns[(va + n) % RETURNS] = va + n;
		if (to && to == guest_call)
			guest_returns[(va + n) % RETURNS] = va + n;
		return;
	}
	s = malloc(sizeof(*s));
	if (!s)
		abort();
	*s = (struct special){ i, va };
	qemu_plugin_register_vcpu_insn_exec_cb(q, on_special,
					       PLUGIN_READS_REGS, s);
}

static void translate_insn(struct qemu_plugin_insn *q, bool first)
{
	uint64_t va = qemu_plugin_insn_vaddr(q);

	if (va >= MACHINE_BEGIN && va < MACHINE_END) {
		qemu_plugin_register_vcpu_mem_cb(q, on_machine_store,
			PLUGIN_NO_REGS, PLUGIN_MEM_WRITE, NULL);
		return;
	}
	if (va < code_begin)
		return;
	if (first)
		on_block(q, va);
	on_insn(q, va);
}

static void on_translate(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (!n)
		return;
	pthread_mutex_lock(&lock);
	if (!looked_for_ksyms &&
	    qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) >=
	    KERNEL_HALF)
		look_for_ksyms();
	for (size_t i = 0; i < n; i++)
		translate_insn(qemu_plugin_tb_get_insn(tb, i), !i);
	pthread_mutex_unlock(&lock);
}

/* ---- the beginning and the end ---- */

static void on_exit_qemu(plugin_id id, void *data)
{
	(void)id;
	(void)data;
	pthread_mutex_lock(&lock);
	watch_end(watch);
	emit_end(out, watch, begun);
	pthread_mutex_unlock(&lock);
}

static void found(void *ctx, const struct watch_finding *f)
{
	(void)ctx;
	emit_finding(out, f);
}

static bool map_ram(const char *path)
{
	int fd = open(path, O_RDONLY);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	void *p;

	if (size <= 0)
		return false;
	p = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	ram_file = fd;
	config.ram = p;
	config.ram_size = (uint64_t)size;
	return p != MAP_FAILED;
}

static const char *value(int argc, char **argv, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return "";
}

PLUGIN_EXPORT int qemu_plugin_install(plugin_id id, const void *info,
				      int argc, char **argv)
{
	(void)info;
	if (!map_ram(value(argc, argv, "ram"))) {
		fprintf(stderr, "watch: cannot map the guest's memory\n");
		return 1;
	}
	states_pointer = strtoull(value(argc, argv, "states"), NULL, 16);
	config.platform = (enum watch_platform)
		atoi(value(argc, argv, "platform"));
	config.cpus = (unsigned int)atoi(value(argc, argv, "cpus"));
	config.honest = atoi(value(argc, argv, "honest"));
	config.lies = atoi(value(argc, argv, "lies"));
	config.coherent = atoi(value(argc, argv, "coherent"));
	config.no_evict = !atoi(value(argc, argv, "evict"));
	config.states = config.ram;
	in_turns = atoi(value(argc, argv, "turns"));
	from_module = !strcmp(value(argc, argv, "from"), "module");
	config.low = atoi(value(argc, argv, "low"));
	if (config.low)
		code_begin = MACHINE_END;
	out = emit_open(value(argc, argv, "out"), config.ram,
			config.ram_size);
	if (!out || states_pointer + 8 > config.ram_size)
		return 1;
	watch = watch_new(&config, found, NULL);
	if (atoi(value(argc, argv, "trails")))
		watch_want_trails(watch);
	guest_call = strtoull(value(argc, argv, "call"), NULL, 16);
	emit_watch(out, watch);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_qemu, NULL);
	return 0;
}
