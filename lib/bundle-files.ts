/** The file of a bundle that Lambda loads. */
export const bundleFile = 'index.mjs';
/** The file with a bundle's code; next to it is its source map, `<file>.map`. */
export const codeFile = 'function.cjs';
