/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the machine asks the launcher for what takes a key: through a serial port
 * of QEMU's that the guest cannot reach. A question is a head and its bytes; so
 * is the answer, whose @what is a status, 0 if all is well. Little-endian.
 *
 *   ATTEST_SNP          a guest message as it lies in memory, header and
 *                       payload; back comes a message. The status is that of
 *                       SNP_GUEST_REQUEST
 *   ATTEST_SNP_CERTS    nothing; back comes the table of certificates of the
 *                       GHCB specification, 4.1.8.1
 *   ATTEST_TDX_REPORT   64 bytes of report data; back comes a TDREPORT
 *   ATTEST_TDX_EXTEND   the number of an RTMR, 32 bits, and 48 bytes
 *   ATTEST_TDX_QUOTE    a TDREPORT; back comes a quote
 */
#ifndef CVM_ATTEST_H
#define CVM_ATTEST_H

#include <stdint.h>

/* Where no PC has a serial port, so that nobody looks for one. */
#define ATTEST_PORT	0x240
#define ATTEST_IRQ	3
#define ATTEST_MAGIC	0x4c554d45u		/* "EMUL" */
#define ATTEST_MAX	16384u			/* bytes behind a head */

enum attest_call {
	ATTEST_SNP = 1,
	ATTEST_SNP_CERTS = 2,
	ATTEST_TDX_REPORT = 3,
	ATTEST_TDX_EXTEND = 4,
	ATTEST_TDX_QUOTE = 5,
};

struct attest_head {
	uint32_t magic, what, size;
};

/* Keys of SNP's guest messages, 4 of 256 bits: VMPCK0 and so on. */
#define ATTEST_VMPCKS	4
#define ATTEST_VMPCK	32

#define ATTEST_RTMRS	4

#endif
