import { AUTH_CONTRACT } from './auth-contract.ts';
import { CLOCK_CONTRACT } from './clock-contract.ts';
import type { ContractCase } from './contract-fixture.ts';
import { CRYPTO_CONTRACT } from './crypto-contract.ts';
import { HTTP_CONTRACT } from './http-contract.ts';
import { NET_CONTRACT } from './net-contract.ts';
import { BLOCK_CONTRACT, DISK_FAILURE_CONTRACT, KV_CONTRACT } from './storage-contract.ts';

/** What every `World` promises, one case a promise. */
export const WORLD_CONTRACT: readonly ContractCase[] = [
  ...CLOCK_CONTRACT,
  ...CRYPTO_CONTRACT,
  ...KV_CONTRACT,
  ...BLOCK_CONTRACT,
  ...DISK_FAILURE_CONTRACT,
  ...NET_CONTRACT,
  ...AUTH_CONTRACT,
  ...HTTP_CONTRACT,
];
