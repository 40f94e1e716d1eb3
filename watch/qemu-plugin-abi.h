/* SPDX-License-Identifier: GPL-2.0 */
#ifndef QEMU_PLUGIN_ABI_H
#define QEMU_PLUGIN_ABI_H

/*
 * The functions of QEMU that plugin.c calls, by what its plugin API, version
 * 4, is: QEMU exports them, and Debian packages no header. A plugin runs in
 * QEMU's process; its callbacks run on the thread of the CPU that they are
 * about.
 *
 *   register_vcpu_tb_trans_cb   when a block of code is translated: here a
 *                               plugin looks at instructions and says which
 *                               of them it wants to hear of
 *   ..._insn_exec_cb            before such an instruction is executed
 *   ..._mem_cb                  after it has read or written memory
 *
 * An instruction, a block and a hwaddr are good until their callback returns.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_EXPORT	__attribute__((visibility("default")))
#define PLUGIN_VERSION	4

typedef uint64_t plugin_id;

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_plugin_register;

/* What a callback may look at, and which accesses it is for. */
enum { PLUGIN_NO_REGS = 0, PLUGIN_READS_REGS = 1 };
enum { PLUGIN_MEM_READ = 1, PLUGIN_MEM_WRITE = 2 };

typedef void (*plugin_tb_fn)(plugin_id id, struct qemu_plugin_tb *tb);
typedef void (*plugin_exec_fn)(unsigned int cpu, void *data);
typedef void (*plugin_mem_fn)(unsigned int cpu, uint32_t info, uint64_t va,
			      void *data);
typedef void (*plugin_exit_fn)(plugin_id id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, plugin_tb_fn fn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    plugin_exec_fn fn, int regs,
					    void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      plugin_mem_fn fn, int regs, int rw,
				      void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, plugin_exit_fn fn,
				    void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(
	const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t size);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

unsigned int qemu_plugin_mem_size_shift(uint32_t info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t va);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *h);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *h);

/* GLib's arrays, as far as they are ours to see; g_* come with QEMU. */
struct plugin_bytes {
	uint8_t *data;
	unsigned int size;
};

struct plugin_array {
	void *data;
	unsigned int n;
};

struct plugin_register {
	struct qemu_plugin_register *handle;
	const char *name;
	const char *feature;
};

struct plugin_bytes *g_byte_array_new(void);
struct plugin_bytes *g_byte_array_set_size(struct plugin_bytes *b,
					   unsigned int size);
/* Of struct plugin_register; on a CPU's thread. */
struct plugin_array *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register *handle,
			      struct plugin_bytes *to);

/* What QEMU looks for in a plugin. */
extern int qemu_plugin_version;
int qemu_plugin_install(plugin_id id, const void *info, int argc,
			char **argv);

#endif
