import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { describe, it } from '@jest/globals';
import { mutations } from './mutations.ts';
import { reading, writing } from './newer-releases.ts';
import { operations } from './operations.ts';

describe('mutations', () => {
  for (const { name, edits, operation, test } of mutations) {
    it(`can still be made: ${name}`, async () => {
      const files = new Map<string, string>();
      for (const { file, text, replacement } of edits) {
        const source = files.get(file) ?? (await readFile(new URL(`../../${file}`, import.meta.url), 'utf8'));
        assert.equal(source.split(text).length, 2, `exactly one "${text}" in ${file}`);
        files.set(
          file,
          source.replace(text, () => replacement),
        );
      }
      // What cannot even be parsed shows nothing about the rules.
      for (const source of files.values()) stripTypeScriptTypes(source);
      if (test !== undefined) await access(new URL(`../../${test}`, import.meta.url));
      if (operation !== undefined) assert.ok(operations.some((one) => one.name === operation));
    });
  }

  it('and the newer releases of an upgrade can still be made', async () => {
    for (const { file, text } of [...reading, ...Object.values(writing).flat()]) {
      const source = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
      assert.equal(source.split(text).length, 2, `exactly one "${text}" in ${file}`);
    }
  });

  it('differ in their names', () => {
    assert.equal(new Set(mutations.map(({ name }) => name)).size, mutations.length);
  });
});
