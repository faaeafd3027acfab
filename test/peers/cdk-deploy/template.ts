/** The part of a CloudFormation template that is read here. */
export interface Template {
  Resources: Record<string, TemplateResource>;
  readonly Outputs: Record<string, unknown>;
}

interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
}

/** What stands where a resource that was left out was referred to. */
const LEFT_OUT = 'left-out';

/**
 * Leaves out of a template what an emulator does not know, and every reference to it.
 *
 * @param isKnown whether the emulator can create the resource
 * @returns the rest, and the types of what was left out, with how many there are of each
 */
export function withoutUnknown(
  template: Template,
  isKnown: (resource: TemplateResource) => boolean,
): { template: Template; leftOut: Map<string, number> } {
  const gone = new Set<string>();
  const leftOut = new Map<string, number>();
  for (const [id, resource] of Object.entries(template.Resources)) {
    if (isKnown(resource)) continue;
    gone.add(id);
    leftOut.set(resource.Type, (leftOut.get(resource.Type) ?? 0) + 1);
  }
  const kept = Object.entries(template.Resources)
    .filter(([id]) => !gone.has(id))
    .map(([id, { DependsOn = [], ...rest }]) => {
      const dependsOn = [DependsOn].flat().filter((other) => !gone.has(other));
      return [id, { ...(cut(rest, gone) as TemplateResource), DependsOn: dependsOn }] as const;
    });
  const Outputs = cut(template.Outputs, gone) as Template['Outputs'];
  return { template: { ...template, Resources: Object.fromEntries(kept), Outputs }, leftOut };
}

function cut(value: unknown, gone: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => cut(item, gone));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref, 'Fn::GetAtt': attribute } = value as Record<string, unknown>;
  const referred = Ref ?? (Array.isArray(attribute) ? attribute[0] : undefined);
  if (typeof referred === 'string' && gone.has(referred)) return LEFT_OUT;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, cut(item, gone)]));
}
