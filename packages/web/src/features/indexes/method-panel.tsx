import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type IndexDefinition, listStrategies } from '@touchstone/contracts/indexes';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Facts, Note, Panel } from '../../components/ui.tsx';
import { formatDay, formatPercent, formatPlain, plural, words } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

/** The rule in words, its parameters, and whether it was caught looking ahead. */
export function MethodPanel({ index }: { index: IndexDefinition }) {
  const strategies = useQuery(apiQuery(listStrategies));
  return (
    <div id="method" className="min-w-0 scroll-mt-36">
      <Panel title="How it is computed" hint="The definition in force; a version keeps the one it was computed with.">
        <div className="grid gap-6 lg:grid-cols-2">
          <QueryView query={strategies}>
            {({ items }) => {
              const strategy = items.find((candidate) => candidate.method === index.method);
              if (!strategy) return <p className="text-sm text-soft">{words(index.method)}</p>;
              return (
                <div className="space-y-3 text-sm">
                  <h3 className="font-semibold">{strategy.title}</h3>
                  <p>{strategy.definition}</p>
                  <Note
                    tone={strategy.canary.passed ? 'plain' : 'bad'}
                    title={strategy.canary.passed ? 'Look-ahead check passed' : 'Look-ahead check failed'}
                  >
                    {strategy.canary.sentence}
                  </Note>
                  <p className="text-xs text-soft">
                    Method page in the project: <code className="font-mono">{strategy.methodPage}</code>
                  </p>
                </div>
              );
            }}
          </QueryView>
          <Facts items={definitionFacts(index)} />
        </div>
      </Panel>
    </div>
  );
}

function definitionFacts(index: IndexDefinition) {
  const { parameters } = index;
  const pillars = [
    ['Momentum pillar', formatPercent(parameters.momentumPillar, 0)],
    ['Cap pillar', formatPercent(parameters.capPillar, 0)],
    ['Low-risk pillar', formatPercent(parameters.riskPillar, 0)],
    ['At most', plural(parameters.maxNames, 'name')],
    ['Weight at most', formatPercent(parameters.maxWeight, 0)],
  ] as const;
  return [
    [
      'Universe',
      <span key="universe">
        <Link to="/universes/$universeId" params={{ universeId: index.universeId }} className="link">
          {index.universeName}
        </Link>
      </span>,
    ],
    ['Method', words(index.method)],
    ...(index.method === 'buy_and_hold'
      ? []
      : [['Rebalance', `every ${plural(parameters.rebalanceEveryDays, 'trading day')}`] as const]),
    ...(index.method === 'three_pillar' ? pillars : []),
    ['Currency', index.currency],
    ['Cost', `${formatPlain(index.costBasisPoints)} bp of each traded unit, one way`],
    ['First day', index.firstDay === null ? 'as early as the data allow' : formatDay(index.firstDay)],
    ['Base', formatPlain(index.baseValue)],
    ['Benchmark', index.benchmarkSymbol ?? 'none'],
    ['Seen by', <Badge key="seen">{index.visibility === 'private' ? 'its maker' : 'everybody here'}</Badge>],
    ['Definition', `version ${index.version}, changed ${formatDay(index.updatedAt)}`],
  ] as const;
}
