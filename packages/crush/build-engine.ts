#!/usr/bin/env tsx
/**
 * Compiles the mapping engine to WebAssembly and writes it into src/engine-code.ts, after a change of what is in engine/:
 *
 *     npx tsx packages/crush/build-engine.ts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const FOLDER = fileURLToPath(new URL('engine', import.meta.url));
/** What the engine keeps for itself begins there: behind the logarithms, before what src/engine-memory.ts writes. */
const MEMORY_BASE = 0x90000;
const OPTIONS = ['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory'];
const LINE_CHARS = 116;

/** The text of src/engine-code.ts. */
export async function engineCode(): Promise<string> {
  let binary = new Uint8Array(0);
  const where = ['index.ts', '--outFile', 'engine.wasm', '--baseDir', FOLDER, '--memoryBase', String(MEMORY_BASE)];
  const { error, stderr } = await main([...where, ...OPTIONS], {
    writeFile: (name, contents) => {
      if (name === 'engine.wasm' && typeof contents !== 'string') binary = new Uint8Array(contents);
    },
  });
  if (error) throw new Error(`the engine does not compile: ${error.message}\n${stderr.toString()}`);
  const lines = Buffer.from(binary)
    .toString('base64')
    .match(new RegExp(`.{1,${LINE_CHARS}}`, 'g'));
  return `/** The mapping engine as WebAssembly, in base64. Made by build-engine.ts: not to be changed by hand. */
export const ENGINE_CODE =
${lines!.map((line) => `  '${line}'`).join(' +\n')};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('src/engine-code.ts', import.meta.url), await engineCode());
}
