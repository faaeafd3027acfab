import { expect, test } from 'vitest';
import { withoutUnknown } from './template.ts';

test('what an emulator does not know is left out with every reference to it', () => {
  const template = {
    Resources: {
      Kept: {
        Type: 'A::B::Kept',
        Properties: {
          one: { Ref: 'Gone' },
          other: [{ 'Fn::GetAtt': ['Gone', 'Arn'] }, { Ref: 'Kept' }],
        },
        DependsOn: ['Gone', 'Other'],
      },
      Gone: { Type: 'A::B::Gone' },
      Other: { Type: 'A::B::Other', DependsOn: 'Gone' },
    },
    Outputs: { Name: { Value: { Ref: 'Gone' } } },
  };
  const { template: rest, leftOut } = withoutUnknown(template, ({ Type }) => Type !== 'A::B::Gone');
  expect(rest).toEqual({
    Resources: {
      Kept: {
        Type: 'A::B::Kept',
        Properties: { one: 'left-out', other: ['left-out', { Ref: 'Kept' }] },
        DependsOn: ['Other'],
      },
      Other: { Type: 'A::B::Other', DependsOn: [] },
    },
    Outputs: { Name: { Value: 'left-out' } },
  });
  expect([...leftOut]).toEqual([['A::B::Gone', 1]]);
});
