/** Jest's transform: it blanks the types out, as Node does, so that lines and columns stay those of the source. */
import { stripTypeScriptTypes } from 'node:module';

export default { process: (source) => ({ code: stripTypeScriptTypes(source) }) };
