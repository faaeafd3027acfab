import { useState } from 'preact/hooks';
import type { ActionView } from '../views.ts';

export interface Acting {
  readonly actions: readonly ActionView[];
  /** Resolves when the server has answered. What it says is shown by the caller. */
  readonly run: (name: string, target: string) => Promise<void>;
}

/** The buttons for one runner, one meeting, or the stack. */
export function Buttons({
  acting: { actions, run },
  kind,
  target,
  label,
  hide = [],
}: {
  acting: Acting;
  kind: ActionView['target'];
  target: string;
  /** Said before the buttons by a screen reader, and shown where `label` is visible. */
  label: string;
  hide?: readonly string[];
}) {
  const [running, setRunning] = useState<string>();
  const own = actions.filter(({ target: of, name }) => of === kind && !hide.includes(name));
  if (own.length === 0) return null;
  const press = async ({ name, confirm }: ActionView) => {
    if (confirm !== undefined && !window.confirm(confirm)) return;
    setRunning(name);
    await run(name, target);
    setRunning(undefined);
  };
  return (
    <fieldset class="buttons" aria-label={label}>
      {own.map((action) => (
        <button
          key={action.name}
          type="button"
          class={`act act-${action.name}`}
          title={action.hint}
          aria-disabled={running !== undefined}
          onClick={() => running === undefined && void press(action)}
        >
          {action.label}
        </button>
      ))}
    </fieldset>
  );
}
