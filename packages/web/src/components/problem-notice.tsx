import { ApiProblem } from '@touchstone/contracts/client';
import { Button } from './ui.tsx';

/** Answers that are no failure: the question simply has no answer yet. */
const CALM_CODES = ['NOT_ENOUGH_HISTORY', 'NOT_POSSIBLE_NOW'];

/** A failure as the reader needs it: the sentence, what broke, the code and the number to quote. */
export function ProblemNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const told = error instanceof ApiProblem ? error.problem : null;
  const isCalm = told !== null && CALM_CODES.includes(told.code);
  const sentence = told?.detail ?? (error instanceof Error ? error.message : String(error));
  return (
    <div
      role={isCalm ? 'status' : 'alert'}
      className={`rounded border px-3.5 py-2.5 text-sm ${isCalm ? 'border-line bg-well' : 'border-bad/30 bg-bad-well'}`}
    >
      <p className={`font-semibold ${isCalm ? '' : 'text-bad'}`}>{told?.title ?? 'This page could not do that'}</p>
      <p>{sentence}</p>
      {told && told.details.length > 0 && (
        <ul className="mt-1.5 list-disc space-y-0.5 pl-5">
          {told.details.map((detail) => (
            <li key={`${detail.path} ${detail.rule}`}>
              <code className="font-mono text-xs">{detail.path}</code>: {detail.rule}
            </li>
          ))}
        </ul>
      )}
      <div className="mt-1.5 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-soft">
        <code className="font-mono">{told?.code ?? 'UNEXPECTED'}</code>
        {told?.requestId && (
          <span>
            request <code className="font-mono select-all">{told.requestId}</code>
          </span>
        )}
        {onRetry && (
          <Button look="quiet" onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}
