import { Token } from 'aws-cdk-lib';
import { DomainName, EndpointType, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AaaaRecord, ARecord, RecordTarget } from 'aws-cdk-lib/aws-route53';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import { checkRegion } from './check-values.ts';

/** A domain name of yours for the API. It takes TLS 1.2 and later. */
export interface DomainProps {
  /** The name, in lower case, such as `wallets.example.com`. */
  readonly name: string;

  /** The name's certificate, in the region of the stack. */
  readonly certificate: ICertificate;

  /**
   * The first part of the paths, for a name that several APIs share: `v1` gives `https://wallets.example.com/v1/wallets`.
   *
   * @default - none
   */
  readonly basePath?: string;

  /**
   * The hosted zone in which the service adds the name's records.
   *
   * @default - you add a record for the name yourself
   */
  readonly hostedZone?: IHostedZone;

  /**
   * Whether the API's own address (`execute-api`) stops answering, so that all requests come by the name.
   *
   * @default false
   */
  readonly disableDefaultEndpoint?: boolean;
}

/** Properties of `ApiDomain`. */
export interface ApiDomainProps {
  readonly domain: DomainProps;
  readonly restApi: RestApi;
}

/** The domain name in front of the API's stage. */
export class ApiDomain extends Construct {
  /** Base URL of the API. */
  readonly url: string;

  constructor(scope: Construct, id: string, { domain, restApi }: ApiDomainProps) {
    super(scope, id);
    const { name, certificate, basePath, hostedZone } = domain;
    const domainName = new DomainName(this, 'Name', {
      domainName: name,
      certificate,
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    domainName.addBasePathMapping(restApi, basePath === undefined ? {} : { basePath });
    if (hostedZone) {
      const record = {
        zone: hostedZone,
        recordName: `${name}.`,
        target: RecordTarget.fromAlias(new ApiGatewayDomain(domainName)),
      };
      new ARecord(this, 'Ipv4', record);
      new AaaaRecord(this, 'Ipv6', record);
    }
    this.url = `https://${name}/${basePath === undefined ? '' : `${basePath}/`}`;
  }
}

/** Throws for a name, path or certificate that API Gateway or the zone would refuse. Does not check names that are parameters. */
export function checkDomain(scope: Construct, { name, certificate, basePath, hostedZone }: DomainProps): void {
  checkRegion(scope, 'domain.certificate', certificate.certificateArn);
  if (!Token.isUnresolved(name) && !/^([a-z0-9-]+\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(name)) {
    throw new Error(`domain.name must be a name in lower case such as wallets.example.com, received "${name}"`);
  }
  if (basePath !== undefined && !Token.isUnresolved(basePath) && !/^[A-Za-z0-9._-]+$/.test(basePath)) {
    throw new Error(`domain.basePath must be one part of a path, without slashes, received "${basePath}"`);
  }
  const zone = nameOfZone(hostedZone);
  if (zone === undefined || Token.isUnresolved(zone) || Token.isUnresolved(name)) return;
  if (name !== zone && !name.endsWith(`.${zone}`)) {
    throw new Error(`domain.name must be in domain.hostedZone ${zone}, received "${name}"`);
  }
}

function nameOfZone(zone: IHostedZone | undefined): string | undefined {
  try {
    return zone?.zoneName;
  } catch (error) {
    // A zone that is found by its id alone throws where its name is read.
    throw new Error('domain.hostedZone must have a zoneName: use fromHostedZoneAttributes', { cause: error });
  }
}
