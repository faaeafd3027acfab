import { readFileSync } from 'node:fs';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { fromRoot } from '../../infra/bundling/bundle-options.ts';
import type { ConfigInput } from '../../infra/config/schema.ts';
import { STAGES } from '../../infra/config/stages.ts';
import { RtmsKinesisStack } from '../../infra/stack.ts';

/** Synthesis keeps one core busy, and other tests may run on it at the same time. */
export const TIMEOUT_MS = 60_000;

const CUSTOM_DOMAIN = {
  name: 'rtms.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/c',
};

/** Every stage, and the choices that no stage makes. */
export const CONFIGS: Readonly<Record<string, ConfigInput>> = {
  ...STAGES,
  private: {
    network: { kind: 'private' },
    webhook: { domain: CUSTOM_DOMAIN },
    records: { archive: {} },
    zoom: { reconcile: 'start' },
  },
  'on-demand': {
    webhook: { cloudFront: {}, canary: true },
    runner: { catcher: { reservedConcurrency: 50 } },
    records: {
      archive: {
        prefix: 'recordings/zoom',
        meetingFile: 'share',
        objectLock: { mode: 'governance', days: 30 },
        expireDays: 365,
        transition: { afterDays: 30, to: 'GLACIER_IR' },
      },
    },
    monitoring: {
      pages: ['pager@example.com', 'https://events.example.com/rtms'],
      tickets: [{ email: 'team@example.com' }],
      runbookUrl: 'https://example.com/docs/runbook.md',
      monthlyBudget: 500,
      syntheticMeeting: true,
    },
  },
  existing: {
    network: {
      kind: 'existing',
      vpcId: 'vpc-0a1b2c3d4e5f60718',
      availabilityZones: ['us-east-1a', 'us-east-1b'],
      subnetIds: ['subnet-0a1b2c3d4e5f60718', 'subnet-1a1b2c3d4e5f60718'],
    },
  },
};

/** Leaves bundles empty: most tests do not look at them. */
const UNBUNDLED = { 'aws:cdk:bundling-stacks': [] };

interface Synthesized {
  readonly app: App;
  readonly stack: RtmsKinesisStack;
  readonly template: Template;
}

const synthesized = new Map<string, Synthesized>();

/** The template of a configuration, synthesized once a process for all tests of `infra/`. */
export function synthesize(name: string): Synthesized {
  let done = synthesized.get(name);
  if (done === undefined) {
    const app = createUnvalidatedApp();
    const stack = addStack(app, name);
    done = { app, stack, template: Template.fromStack(stack) };
    synthesized.set(name, done);
  }
  return done;
}

/**
 * An app without CDK's own validator, whose rules take more time than the rest of the synthesis. The context's
 * `validateAgainstDefaultRules: false` would not do: the validator would still run and call its errors warnings.
 */
export function createUnvalidatedApp(
  context: Record<string, unknown> = { ...contextOfFile(), ...UNBUNDLED },
): App {
  return new App({ context, builtinCloudFormationValidation: false });
}

export function addStack(app: App, name: string): RtmsKinesisStack {
  const config = CONFIGS[name];
  if (config === undefined) throw new Error(`no config "${name}"`);
  return new RtmsKinesisStack(app, `RtmsKinesis-${name}`, { config });
}

/** An app as `npx cdk synth` runs it: with CDK's own validator and cdk-nag. */
export function createValidatedApp(): App {
  const app = new App({ context: { ...contextOfFile(), ...UNBUNDLED } });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

export function contextOfFile(): Record<string, unknown> {
  return JSON.parse(readFileSync(fromRoot('cdk.json'), 'utf8')).context;
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: templates are JSON of a hundred shapes
export type Properties = Record<string, any>;

/** Logical ids and properties. */
export function resourcesOf(template: Template, type: string): [string, Properties][] {
  return Object.entries(template.findResources(type)).map(([id, resource]) => [
    id,
    resource['Properties'],
  ]);
}

export function onlyOf(template: Template, type: string): Properties {
  const [[, properties] = [], ...others] = resourcesOf(template, type);
  if (properties === undefined || others.length > 0) throw new Error(`not exactly one ${type}`);
  return properties;
}

/** Allowed actions by role; a role is named by its logical id without prefix and hash. */
export function grantsOf(template: Template): Record<string, string[]> {
  const grants: Record<string, Set<string>> = {};
  for (const [, policy] of resourcesOf(template, 'AWS::IAM::Policy')) {
    const { PolicyDocument, Roles } = policy as unknown as {
      PolicyDocument: { Statement: Statement[] };
      Roles: { Ref: string }[];
    };
    for (const { Effect, Action } of PolicyDocument.Statement) {
      if (Effect !== 'Allow') throw new Error(`${Effect} in a policy: grants only allow`);
      for (const { Ref } of Roles) {
        const role = Ref.replace(/^Rtms/, '').replace(/[0-9A-F]{8}$/, '');
        grants[role] ??= new Set();
        for (const action of [Action].flat()) grants[role].add(action);
      }
    }
  }
  return Object.fromEntries(
    Object.entries(grants).map(([role, actions]) => [role, [...actions].sort()]),
  );
}
