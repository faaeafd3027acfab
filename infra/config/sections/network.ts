import * as v from 'valibot';
import { count, textLike } from './field-kinds.ts';

/** Availability Zones that a VPC of the stack's own spans at most. */
export const MAX_ZONES = 3;

/** The `network` section: where the runners run, and whether functions run there too. */
export const NETWORK = v.variant('kind', [
  /** Own VPC, tasks with public addresses and no inbound rule: no cost per GB. */
  v.strictObject({ kind: v.literal('public') }),
  /** Own VPC, tasks without public addresses behind NAT gateways. */
  v.strictObject({
    kind: v.literal('private'),
    /** At most one in each zone. */
    natGateways: v.optional(v.pipe(count, v.maxValue(MAX_ZONES)), 2),
    /** Puts Lambda functions into the VPC too, for organisations that allow none outside of one. */
    functions: v.optional(v.boolean(), false),
  }),
  /** Subnets of yours, which must already reach Zoom, Kinesis and the other services. */
  v.pipe(
    v.strictObject({
      kind: v.literal('existing'),
      vpcId: textLike(/^vpc-/, 'the id of a VPC, vpc-…'),
      availabilityZones: v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(2)),
      subnetIds: v.pipe(
        v.array(textLike(/^subnet-/, 'the id of a subnet, subnet-…')),
        v.minLength(2),
      ),
    }),
    v.forward(
      v.partialCheck(
        [['availabilityZones'], ['subnetIds']],
        ({ availabilityZones, subnetIds }) => subnetIds.length % availabilityZones.length === 0,
        ({ input }) => {
          const zones = (input as { availabilityZones: unknown[] }).availabilityZones.length;
          return `allowed is the same number of subnets in each of the ${zones} availabilityZones`;
        },
      ),
      ['subnetIds'],
    ),
  ),
]);
