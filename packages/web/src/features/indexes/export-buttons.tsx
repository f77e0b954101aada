import { useMutation } from '@tanstack/react-query';
import { exportIndex } from '@touchstone/contracts/indexes';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Button } from '../../components/ui.tsx';
import { saveResponse } from '../../lib/save-response.ts';
import { client } from '../../lib/session.ts';

type ExportProps = {
  indexId: number;
  query: { knownAt?: string; recordedAt?: string; runNumber?: number | undefined };
};

/** Levels and holdings as they are shown, with the same times. */
export function ExportButtons({ indexId, query }: ExportProps) {
  const save = useMutation({
    mutationFn: async (what: 'levels' | 'holdings') => {
      const response = await client.raw(exportIndex, { params: { indexId }, query: { ...query, what } });
      await saveResponse(response, `index-${indexId}-${what}.csv`);
    },
  });
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Button isBusy={save.isPending && save.variables === 'levels'} onClick={() => save.mutate('levels')}>
        Levels as CSV
      </Button>
      <Button isBusy={save.isPending && save.variables === 'holdings'} onClick={() => save.mutate('holdings')}>
        Holdings as CSV
      </Button>
      {save.error && <ProblemNotice error={save.error} />}
    </div>
  );
}
