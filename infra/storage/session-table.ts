import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { OWNER_INDEX } from '../../shared/session-table/session-row.ts';
import { grantKeyUse } from './encryption-key.ts';

export interface SessionTableProps {
  readonly removalPolicy: RemovalPolicy;
  readonly encryptionKey?: IKey;
}

/** Session and task rows of `shared/session-table/session-row.ts`: what Zoom wants, and who serves it. */
export class SessionTable extends Construct {
  readonly table: Table;
  readonly #key: IKey | undefined;

  constructor(scope: Construct, id: string, { removalPolicy, encryptionKey }: SessionTableProps) {
    super(scope, id);
    this.#key = encryptionKey;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'ttl',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy,
      ...(encryptionKey && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey }),
    });
    // Not TableV2: under a key of ours it cannot be rendered for a stack without a fixed Region.
    this.table.addGlobalSecondaryIndex({
      indexName: OWNER_INDEX,
      partitionKey: { name: 'owner', type: AttributeType.STRING },
      sortKey: { name: 'pk', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }

  /** The webhook function's part: write what Zoom wants of one stream, and look at its row. */
  grantRequest(grantee: IGrantable): void {
    this.#grant(grantee, ['dynamodb:GetItem', 'dynamodb:UpdateItem'], this.table.tableArn);
  }

  /** The runner's part: claim, renew, reconcile, release. */
  grantServe(grantee: IGrantable): void {
    const actions = ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'];
    this.#grant(grantee, actions, this.table.tableArn);
    this.#grant(grantee, ['dynamodb:Query'], `${this.table.tableArn}/index/${OWNER_INDEX}`);
  }

  /** Without CDK's `index/*`: each part names the one thing it uses. */
  #grant(grantee: IGrantable, actions: string[], resourceArn: string): void {
    Grant.addToPrincipal({ grantee, actions, resourceArns: [resourceArn] });
    grantKeyUse(this.#key, grantee, 'table');
  }
}
