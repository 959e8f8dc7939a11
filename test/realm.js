/** The realm of the tests of a file: Jest's own for Node, changed where it behaves unlike the realm that functions run in. */
import { TestEnvironment } from 'jest-environment-node';
import { types } from 'node:util';
import vm from 'node:vm';

const { createContext } = vm;

export default class extends TestEnvironment {
  constructor(...options) {
    // Jest's global object passes each use of a global name through a proxy, which costs the SDK a seventh of its speed.
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(...options);
    } finally {
      vm.createContext = createContext;
    }
    // Errors of Node's own modules come from another realm. They are errors here too. What `fetch` parses belongs here.
    const { Error: OwnError, Function: OwnFunction, JSON: OwnJson, Response } = this.global;
    const isInstance = OwnFunction.prototype[Symbol.hasInstance];
    Object.defineProperty(OwnError, Symbol.hasInstance, {
      value(value) {
        return this === OwnError ? types.isNativeError(value) : isInstance.call(this, value);
      },
    });
    Response.prototype.json = async function json() {
      return OwnJson.parse(await this.text());
    };
  }
}
