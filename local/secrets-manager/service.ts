/** Secrets Manager: secrets and their endpoint. */
import { createHash } from 'node:crypto';
import { resourceType } from '../machine/machine.ts';
import type { Service } from '../machine/machine.ts';
import { openSecrets } from './secrets.ts';
import type { GenerateSecretString, Secrets } from './secrets.ts';

export const secretType = 'AWS::SecretsManager::Secret';

export const secretsManager: Service<Secrets> = {
  open({ data, endpoint, environment }) {
    const secrets = openSecrets(data.path('secrets.json'));
    endpoint.serve('secretsmanager', secrets.service);
    environment['AWS_ENDPOINT_URL_SECRETS_MANAGER'] = endpoint.url;
    return secrets;
  },
  types: {
    [secretType]: resourceType<{ GenerateSecretString?: GenerateSecretString; SecretString?: string }>({
      shape: { Description: 'cloud', GenerateSecretString: true, KmsKeyId: 'cloud', SecretString: true, Tags: 'cloud' },
      identify(logicalId, { name, arn }) {
        const suffix = createHash('sha256').update(logicalId).digest('hex').slice(0, 6);
        const secretArn = arn('secretsmanager', `secret:${name(logicalId)}-${suffix}`);
        return { ref: secretArn, attributes: { Id: secretArn } };
      },
      boot(machine, { identity, properties }) {
        const name = identity.ref.slice(identity.ref.lastIndexOf(':') + 1, -7);
        const value = properties.SecretString ?? properties.GenerateSecretString ?? {};
        machine.use(secretsManager).create({ name, arn: identity.ref, value });
      },
    }),
  },
};
