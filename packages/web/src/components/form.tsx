import { ApiProblem } from '@touchstone/contracts/client';
import { type ComponentProps, type FormEvent, type ReactNode, useId } from 'react';

/** Form parts: every control has a label, a hint and a place for what is wrong with it. */

type FieldProps = {
  label: string;
  hint?: ReactNode;
  /** Path of the field in the request, such as `body.name`; its broken rules are shown here. */
  path?: string;
  error?: unknown;
  children: (control: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': true | undefined;
  }) => ReactNode;
};

export function Field({ label, hint, path, error, children }: FieldProps) {
  const id = useId();
  const rules = path === undefined ? [] : rulesOf(error, path);
  const noteId = `${id}-note`;
  const hasNote = hint !== undefined || rules.length > 0;
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      {children({
        id,
        'aria-describedby': hasNote ? noteId : undefined,
        'aria-invalid': rules.length > 0 ? true : undefined,
      })}
      {hasNote && (
        <div id={noteId} className="mt-1 text-xs text-soft">
          {rules.map((rule) => (
            <p key={rule} className="font-medium text-bad">
              {rule}
            </p>
          ))}
          {hint}
        </div>
      )}
    </div>
  );
}

function rulesOf(error: unknown, path: string): string[] {
  if (!(error instanceof ApiProblem)) return [];
  return error.problem.details.filter((detail) => detail.path === path).map((detail) => detail.rule);
}

type InputProps = Omit<FieldProps, 'children'> &
  Omit<ComponentProps<'input'>, 'onChange' | 'value' | 'id'> & {
    value: string;
    onValue: (value: string) => void;
  };

export function TextField({ label, hint, path, error, onValue, ...input }: InputProps) {
  return (
    <Field label={label} hint={hint} path={path} error={error}>
      {(control) => (
        <input
          {...input}
          {...control}
          className={`control ${input.type === 'number' ? 'tabular-nums' : ''}`}
          onChange={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

type SelectProps = Omit<FieldProps, 'children'> & {
  value: string;
  onValue: (value: string) => void;
  options: readonly (readonly [value: string, label: string])[];
  disabled?: boolean;
  required?: boolean;
};

export function SelectField({ label, hint, path, error, value, onValue, options, ...rest }: SelectProps) {
  return (
    <Field label={label} hint={hint} path={path} error={error}>
      {(control) => (
        <select
          {...rest}
          {...control}
          className="control"
          value={value}
          onChange={(event) => onValue(event.currentTarget.value)}
        >
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function AreaField({ label, hint, path, error, onValue, value }: Omit<InputProps, 'type'>) {
  return (
    <Field label={label} hint={hint} path={path} error={error}>
      {(control) => (
        <textarea
          {...control}
          rows={3}
          className="control"
          value={value}
          onChange={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

type CheckProps = {
  label: string;
  hint?: string;
  isChecked: boolean;
  onChecked: (checked: boolean) => void;
  disabled?: boolean;
};

export function CheckField({ label, hint, isChecked, onChecked, disabled }: CheckProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-2">
      <input
        id={id}
        type="checkbox"
        className="mt-0.5 size-4 accent-accent"
        checked={isChecked}
        disabled={disabled}
        onChange={(event) => onChecked(event.currentTarget.checked)}
      />
      <label htmlFor={id} className="text-sm">
        {label}
        {hint && <span className="block text-xs text-soft">{hint}</span>}
      </label>
    </div>
  );
}

/** Radio buttons, for a choice that must be seen whole. */
export function ChoiceField(props: {
  legend: string;
  value: string | null;
  onValue: (value: string) => void;
  options: readonly { value: string; label: string; hint?: string }[];
}) {
  const name = useId();
  return (
    <fieldset>
      <legend className="mb-1 text-sm font-medium">{props.legend}</legend>
      <div className="space-y-1.5">
        {props.options.map((option) => (
          <label key={option.value} className="flex items-start gap-2 text-sm">
            <input
              type="radio"
              name={name}
              className="mt-0.5 size-4 accent-accent"
              checked={props.value === option.value}
              onChange={() => props.onValue(option.value)}
            />
            <span>
              {option.label}
              {option.hint && <span className="block text-xs text-soft">{option.hint}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Runs the handler in place of the browser's own sending. */
export function onSubmit(handle: () => void) {
  return (event: FormEvent) => {
    event.preventDefault();
    handle();
  };
}
