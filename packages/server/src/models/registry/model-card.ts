import type { ModelManifest, Skill } from '@touchstone/contracts/model-manifest';
import type { Checklist } from '@touchstone/contracts/models';

export type CardSection = { title: string; lines: string[] };

const SHA_LENGTH_SHOWN = 12;

/** What a version is for, on what it learnt, how good it was and where it is weak: from its manifest alone. */
export function modelCard(
  version: { model: string; version: number; manifest: ModelManifest; archived: boolean; aliases: readonly string[] },
  checklist: Checklist,
): { markdown: string; sections: CardSection[] } {
  const { manifest } = version;
  const sections: CardSection[] = [
    { title: 'What it forecasts', lines: purposeOf(version) },
    { title: 'Data', lines: dataOf(manifest) },
    { title: 'Features', lines: featuresOf(manifest) },
    { title: 'Members', lines: membersOf(manifest) },
    { title: 'Skill', lines: manifest.skill === null ? ['It was never measured.'] : skillOf(manifest.skill) },
    { title: 'Gate', lines: gateOf(manifest) },
    {
      title: 'Limits',
      lines: manifest.limits.length === 0 ? ['None were written down; there are some.'] : manifest.limits,
    },
    { title: 'Check list', lines: checklistOf(checklist) },
    { title: 'Made again with', lines: originOf(manifest) },
  ];
  return { markdown: toMarkdown(`${version.model}, version ${version.version}`, sections), sections };
}

function purposeOf({ manifest, archived, aliases }: Parameters<typeof modelCard>[0]): string[] {
  const { target, unit, horizonDays, format, expiresAfterDays, trainedUntil } = manifest;
  return [
    `Target: ${target ?? 'one of its own'}, ${horizonDays} trading days ahead, as ${unit}.`,
    `Format: ${format}. It answers until ${expiresAfterDays} days after ${trainedUntil} and abstains from then on.`,
    archived
      ? 'It is archived.'
      : aliases.length === 0
        ? 'No alias points at it.'
        : `It is ${aliases.join(', ')} of its model.`,
  ];
}

function dataOf({ universeId, firstDay, trainedUntil, datasetSha256 }: ModelManifest): string[] {
  return [
    `Learnt from ${firstDay} to ${trainedUntil}${universeId === null ? '' : `, universe ${universeId}`}.`,
    `Dataset ${datasetSha256}.`,
  ];
}

function featuresOf({ features, stepCount, featureSha256 }: ModelManifest): string[] {
  const count = `${features.length} ${features.length === 1 ? 'feature' : 'features'} over ${stepCount} days`;
  return [
    features.length === 0 ? 'None of ours.' : `${count}: ${features.join(', ')}.`,
    `Definitions ${featureSha256}.`,
  ];
}

function membersOf({ members }: ModelManifest): string[] {
  if (members.length === 0) return ['It has no members of ours.'];
  return members.map(({ learner, weight, skill }) => {
    const own = skill === null ? '' : `; alone ${skill.metric} ${figure(skill.value)}${interval(skill)}`;
    return `${learner}: weight ${figure(weight)}${own}.`;
  });
}

function skillOf(skill: Skill): string[] {
  const { metric, higherIsBetter, value, firstDay, lastDay, sampleCount, trialCount } = skill;
  const period = firstDay === null || lastDay === null ? 'an unknown period' : `${firstDay} to ${lastDay}`;
  return [
    `Hypothetical, out of sample: ${metric} ${figure(value)}${interval(skill)} (${higherIsBetter ? 'more' : 'less'} is better), ${period}, ${sampleCount} forecasts.`,
    `Trials on this data up to then: ${trialCount}. Costs: ${skill.costs}.`,
    ...skill.baselines.map(
      (baseline) =>
        `Against ${baseline.name} (${figure(baseline.value)}): ${signed(baseline.difference)}${interval(baseline)}.`,
    ),
    skill.coverage === null
      ? 'It does not abstain.'
      : `It acts on ${percent(skill.coverage)} of days, with ${metric} ${figure(skill.valueWhenActing)} there.`,
    skill.intervalCoverage === null || skill.intervalLevel === null
      ? 'It gives no interval.'
      : `Its intervals of ${percent(skill.intervalLevel)} held ${percent(skill.intervalCoverage)} of outcomes.`,
  ];
}

function gateOf({ verdict }: ModelManifest): string[] {
  if (verdict === null) return ['It was never judged, so it cannot be served.'];
  return [`${verdict.passed ? 'Passed' : 'Not passed'}. ${verdict.sentence}`];
}

function checklistOf(checklist: Checklist): string[] {
  if (checklist.length === 0) return ['Nothing was signed: it was never promoted.'];
  return checklist.map(
    ({ item, signed: isSigned, note }) =>
      `${item.replaceAll('_', ' ')}: ${isSigned ? 'signed' : 'not signed'}${note === '' ? '' : `. ${note}`}`,
  );
}

function originOf(manifest: ModelManifest): string[] {
  const joules = manifest.costJoules === null ? '' : `, about ${Math.round(manifest.costJoules)} J`;
  return [
    `Code ${manifest.codeVersion}, seed ${manifest.seed}, settings ${manifest.configSha256.slice(0, SHA_LENGTH_SHOWN)}.`,
    `Training took ${manifest.costSeconds.toFixed(1)} s of processor time${joules}.`,
  ];
}

function figure(value: number | null): string {
  return value === null ? 'undefined' : value.toPrecision(3);
}

function signed(value: number | null): string {
  return value === null ? 'undefined' : `${value > 0 ? '+' : ''}${value.toPrecision(2)}`;
}

function interval({ low, high }: { low: number | null; high: number | null }): string {
  return low === null || high === null ? '' : ` [${figure(low)}, ${figure(high)}]`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Names and notes come from people: a line break would begin a section of their own. */
function toMarkdown(title: string, sections: readonly CardSection[]): string {
  const item = (line: string) => `- ${line.replaceAll(/\s+/g, ' ').replaceAll(/([\\`*_[\]<>#|])/g, '\\$1')}`;
  const body = sections.map((section) => `## ${section.title}\n\n${section.lines.map(item).join('\n')}\n`);
  return `# ${title}\n\n${body.join('\n')}`;
}
