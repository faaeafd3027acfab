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

/** The table of `shared/session-table/`: a row for each session, and one for each task. */
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
    // TableV2 cannot be synthesized with a key of ours for a stack whose Region is not fixed.
    this.table.addGlobalSecondaryIndex({
      indexName: OWNER_INDEX,
      partitionKey: { name: 'owner', type: AttributeType.STRING },
      sortKey: { name: 'pk', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }

  /** Lets the webhook function read the row of a stream and write what Zoom wants of it. */
  grantRequest(grantee: IGrantable): void {
    this.#grant(grantee, ['dynamodb:GetItem', 'dynamodb:UpdateItem'], this.table.tableArn);
  }

  /** Lets a runner claim, renew, reconcile and release rows. */
  grantServe(grantee: IGrantable): void {
    const actions = ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'];
    this.#grant(grantee, actions, this.table.tableArn);
    this.#grant(grantee, ['dynamodb:Query'], `${this.table.tableArn}/index/${OWNER_INDEX}`);
  }

  /** Lets a runner compare all rows with Zoom's list of live meetings. */
  grantReadAll(grantee: IGrantable): void {
    this.#grant(grantee, ['dynamodb:Scan'], this.table.tableArn);
  }

  /** CDK's own grants would add `index/*`; each grant here names the one table or index that is used. */
  #grant(grantee: IGrantable, actions: string[], resourceArn: string): void {
    Grant.addToPrincipal({ grantee, actions, resourceArns: [resourceArn] });
    grantKeyUse(this.#key, grantee, 'table');
  }
}
