/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The platforms: the one list, which C reads here and scripts and makefiles
 * through scripts/platforms. Keep a platform to one line.
 *
 * P(name, NAME, number, ENGINE, words)
 *   name    everywhere: options, output, files; the machine's
 *           struct platform is name_platform
 *   NAME    CVM_NAME is its number in the machine's ABI (guest-abi.h); -1 of
 *           those that the machine has not
 *   ENGINE  AIRLOCK_ENGINE is what the engine calls it (airlock.h)
 *   words   for help texts
 */
#ifndef AIRLOCK_PLATFORMS_H
#define AIRLOCK_PLATFORMS_H

/* Confidential, in the machine and in the lab. */
#define PLATFORMS_CONFIDENTIAL(P) \
	P(tdx, TDX, 1, TDX, "Intel TDX") \
	P(snp, SNP, 2, SNP, "AMD SEV-SNP") \
	P(vtom, VTOM, 3, VTOM, "Hyper-V vTOM on SEV-SNP") \
	P(tdp, TDP, 4, TDP, "TD partitioning")

/* Only the machine has these. */
#define PLATFORMS_MACHINE_ONLY(P) \
	P(none, NONE, 0, PLAIN, "an ordinary VM")

/* Only the lab has these: one that is confidential, one that is not. */
#define PLATFORMS_LAB_ONLY(P) \
	P(sev, SEV, -1, SEV, "AMD SEV and SEV-ES")
#define PLATFORMS_LAB_PLAIN(P) \
	P(plain, PLAIN, -1, PLAIN, "not confidential")

#define PLATFORMS_MACHINE(P) \
	PLATFORMS_MACHINE_ONLY(P) PLATFORMS_CONFIDENTIAL(P)
/* Those with something to ask: what `all` means to the lab. */
#define PLATFORMS_LAB(P) \
	PLATFORMS_CONFIDENTIAL(P) PLATFORMS_LAB_ONLY(P)

/* For P: "tdx, snp, ..., " as a string, for help texts. */
#define PLATFORM_LISTED(name, id, number, engine, words) #name ", "
/* For P: names by the machine's number and by the engine's. */
#define PLATFORM_NAME(name, id, number, engine, words) [number] = #name,
#define PLATFORM_ENGINE_NAME(name, id, number, engine, words) \
	[AIRLOCK_##engine] = #name,
/* For P: the engine's platform, in the list's order and by number. */
#define PLATFORM_ENGINE(name, id, number, engine, words) AIRLOCK_##engine,
#define PLATFORM_TO_ENGINE(name, id, number, engine, words) \
	[number] = AIRLOCK_##engine,

#endif
