/** The environment variables in which Jest passes what a run shares to its files: test/set-up.ts and those of the tiers. */
export const shared = {
  /** The temporary folder of the run. */
  scratch: 'TEST_SCRATCH',
  /** The process id of the run that made the folder. A run that one of its tests starts uses the same folder. */
  owner: 'TEST_OWNER',
  /** The folder in which Node keeps the compiled code of the commands that tests start: a start then takes half as long. */
  compiled: 'NODE_COMPILE_CACHE',
  /** The folders of the functions' bundles, as JSON. */
  bundles: 'TEST_BUNDLES',
  /** The folder with the synthesized stack of `npm start`. */
  assembly: 'TEST_ASSEMBLY',
} as const;
