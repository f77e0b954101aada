import { exportIndex } from '@touchstone/contracts/indexes';
import { SaveButton } from '../../components/save-button.tsx';

type ExportProps = {
  indexId: number;
  query: { knownAt?: string; recordedAt?: string; runNumber?: number | undefined };
};

/** Levels and holdings as they are shown, with the same times. */
export function ExportButtons({ indexId, query }: ExportProps) {
  const save = (what: 'levels' | 'holdings') => ({
    route: exportIndex,
    input: { params: { indexId }, query: { ...query, what } },
    fileName: `index-${indexId}-${what}.csv`,
  });
  return (
    <div className="flex flex-wrap items-center gap-2">
      <SaveButton {...save('levels')}>Levels as CSV</SaveButton>
      <SaveButton {...save('holdings')}>Holdings as CSV</SaveButton>
    </div>
  );
}
