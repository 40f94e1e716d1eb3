/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CVM_BOOT_H
#define CVM_BOOT_H

/*
 * The whole of `airlock boot`. argv[0] is "boot".
 *
 * Return: 0 the guest passed; 1 a violation, or the guest failed; 2 bad usage
 * or the machine cannot run here; 3 time limit.
 */
int cvm_boot(int argc, char **argv);

#endif
