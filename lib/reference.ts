import { Construct } from 'constructs';
import { WalletFunction } from './wallet-function.ts';

/** The open routes with the description of the API, for programs and for people. */
export class Reference extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.functions = { reference: new WalletFunction(this, 'reference', { environment: {} }) };
  }
}
