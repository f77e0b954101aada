import type { CheckedFeature, FeatureBadges, ViewCheck, ViewProblem } from '@touchstone/contracts/features';
import { compileExpression, type Expression } from '@touchstone/quant/expressions/compile-expression';
import { createRecent } from '../../platform/cache/recent.ts';
import type { Database, Principal, Transaction } from '../../platform/database/database.ts';
import { appendEvidence } from '../../platform/evidence/evidence.ts';
import { found, ProblemError } from '../../platform/problem-error.ts';
import { ALL_INDICATORS, CATALOGUE } from '../catalogue/catalogue.ts';
import type { FeatureComputer } from '../feature-compute/feature-computer.ts';
import { BUILT_IN_VIEWS } from './built-in-views.ts';
import * as repository from './feature-view.repository.ts';
import { hashOfView, isSameDefinition, type ViewDefinition, type ViewVersion } from './feature-view.ts';

/** Every version of every view in a tenant's sight, by name, oldest version first. */
export type Views = ReadonlyMap<string, readonly ViewVersion[]>;

export type FeatureViewService = ReturnType<typeof createFeatureViewService>;

export const VIEW_SUBJECT = 'feature-view';
/** A view that was saved by another process is seen after this. */
const KEPT_MS = 5_000;

export function createFeatureViewService(database: Database, computer: FeatureComputer, codeVersion: string) {
  const builtIn = BUILT_IN_VIEWS.map(({ definition, version }): ViewVersion => {
    const sha256 = hashOfView(definition);
    return {
      definition,
      version,
      sha256,
      builtIn: true,
      id: null,
      codeVersion,
      checks: null,
      createdAt: null,
      createdBy: null,
    };
  });
  const kept = new Map<number, { at: number; views: Promise<Views> }>();
  database.onCommit({
    async after(changes) {
      for (const { tenantId, subjectKind } of changes) if (subjectKind === VIEW_SUBJECT) kept.delete(tenantId);
    },
  });
  /** What follows from the code alone is found out once in the life of a process. */
  const recent = createRecent<FeatureBadges[]>(1);

  async function load(tx: Transaction): Promise<Views> {
    const all = [...builtIn, ...(await repository.findAllVersions(tx))];
    return Map.groupBy(all, ({ definition }) => definition.name);
  }

  /** At most five seconds old, except that changes of this process are seen at once. */
  function views(principal: Principal): Promise<Views> {
    const known = kept.get(principal.tenantId);
    if (known !== undefined && performance.now() - known.at < KEPT_MS) return known.views;
    const loading = database.transaction(principal, load, { readOnly: true });
    kept.set(principal.tenantId, { at: performance.now(), views: loading });
    loading.catch(() => kept.delete(principal.tenantId));
    return loading;
  }

  const catalogueBadges = () => recent.get('catalogue', computer.checkCatalogue);

  async function checksOf(view: ViewVersion): Promise<CheckedFeature[]> {
    if (view.checks !== null) return view.checks;
    // A view of the program holds outputs of the catalogue as they are.
    const badges = await catalogueBadges();
    return view.definition.features.map(({ name, expression }) => {
      const found = CATALOGUE.findOutput(expression ?? '');
      const own = found === undefined ? null : (badges[ALL_INDICATORS.indexOf(found.indicator)] ?? null);
      return toChecked(name, expression, mustCompile(expression), own);
    });
  }

  async function check(definition: ViewDefinition): Promise<ViewCheck> {
    const problems = findProblems(definition);
    if (problems.length > 0) return { accepted: false, features: [], problems, milliseconds: 0 };
    if (definition.source === 'push') {
      const features = definition.features.map(({ name }) => toChecked(name, null, null, null));
      return { accepted: true, features, problems: [], milliseconds: 0 };
    }
    const expressions = definition.features.map(({ expression }) => expression ?? '');
    const reports = await computer.check(expressions);
    const features: CheckedFeature[] = [];
    let milliseconds = 0;
    for (const [i, report] of reports.entries()) {
      const { name, expression } = definition.features[i]!;
      const at = { feature: name, part: expression ?? '', position: 0 };
      if (!('badges' in report)) {
        problems.push({ ...at, reason: report.code, sentence: report.sentence });
        continue;
      }
      milliseconds += report.milliseconds;
      features.push(toChecked(name, expression, mustCompile(expression), report.badges));
      const { canary, warmUp } = report.badges;
      if (!canary.passed) problems.push({ ...at, reason: 'look_ahead', sentence: canary.sentence });
      if (!warmUp.passed) problems.push({ ...at, reason: 'warm_up', sentence: warmUp.sentence });
    }
    return { accepted: problems.length === 0, features, problems, milliseconds };
  }

  /** @throws INVALID_REQUEST naming every offending part. */
  async function mustPass(definition: ViewDefinition): Promise<CheckedFeature[]> {
    const { accepted, features, problems } = await check(definition);
    if (accepted) return features;
    const [first] = problems;
    throw new ProblemError('INVALID_REQUEST', `${first?.feature}: ${first?.sentence}`, {
      details: problems.map(({ feature, part, sentence }) => ({
        path: `body.features.${feature}`,
        rule: `${part}: ${sentence}`.slice(0, 500),
      })),
    });
  }

  async function record(tx: Transaction, kind: string, id: number, body: Record<string, unknown>): Promise<void> {
    await appendEvidence(tx, { kind, subjectKind: VIEW_SUBJECT, subjectId: id, body });
  }

  return {
    views,
    check,
    checksOf,
    codeVersion,
    /** Badges of every indicator of the catalogue, in its order. */
    catalogueBadges,

    /** @throws ALREADY_EXISTS, INVALID_REQUEST when a feature looks ahead, throws or never ends. */
    async create(principal: Principal, definition: ViewDefinition): Promise<ViewVersion> {
      const checks = await mustPass(definition);
      const { name } = definition;
      if ((await views(principal)).has(name)) throw taken(name);
      await database.transaction(
        principal,
        async (tx) => {
          const viewId = await repository.insertView(tx, name);
          // A name that comes again goes on counting: what was computed with the deleted view keeps its version.
          const number = (await repository.findLastNumber(tx, name)) + 1;
          await repository.insertVersion(tx, { viewId, number, definition, checks, codeVersion });
          await repository.setLatest(tx, viewId, number);
          await record(tx, 'feature-view.created', viewId, { version: number, sha256: hashOfView(definition) });
        },
        { includeDeleted: true },
      );
      return latestOf(await views(principal), name);
    },

    /** A new version. Saying the same again changes nothing. @throws NOT_FOUND, CONFLICT, NOT_POSSIBLE_NOW */
    async change(
      principal: Principal,
      name: string,
      { version, ...change }: Partial<Omit<ViewDefinition, 'name' | 'entity' | 'source'>> & { version: number },
    ): Promise<ViewVersion> {
      const before = latestOf(await views(principal), name);
      if (before.builtIn) throw ofProgram(name);
      const definition = { ...before.definition, ...change };
      if (version === before.version && isSameDefinition(before.definition, definition)) return before;
      const checks = await mustPass(definition);
      await database.transaction(principal, async (tx) => {
        const row = found(await repository.findViewToChange(tx, name), `There is no feature view ${name}.`);
        if (row.latestVersion !== version)
          throw new ProblemError(
            'CONFLICT',
            `Version ${row.latestVersion} of ${name} was saved meanwhile. Start from it.`,
          );
        const number = version + 1;
        await repository.insertVersion(tx, { viewId: row.id, number, definition, checks, codeVersion });
        await repository.setLatest(tx, row.id, number);
        await record(tx, 'feature-view.changed', row.id, { version: number, sha256: hashOfView(definition) });
      });
      return latestOf(await views(principal), name);
    },

    /** @throws NOT_FOUND, NOT_POSSIBLE_NOW for a view of the program. */
    async remove(principal: Principal, name: string): Promise<void> {
      if (builtIn.some(({ definition }) => definition.name === name)) throw ofProgram(name);
      await database.transaction(
        principal,
        async (tx) => {
          const row = found(await repository.findViewToChange(tx, name), `There is no feature view ${name}.`);
          await repository.deleteView(tx, row.id);
          await record(tx, 'feature-view.deleted', row.id, { version: row.latestVersion });
        },
        { includeDeleted: true },
      );
    },
  };
}

/** The newest version of a view. @throws NOT_FOUND */
export function latestOf(views: Views, name: string): ViewVersion {
  return found(views.get(name)?.at(-1), `There is no feature view ${name}.`);
}

/** What is wrong with a definition without computing anything. */
function findProblems(definition: ViewDefinition): ViewProblem[] {
  const problems: ViewProblem[] = [];
  const seen = new Set<string>();
  for (const { name, expression } of definition.features) {
    const at = { feature: name, part: name, position: 0 };
    if (seen.has(name)) problems.push({ ...at, reason: 'syntax', sentence: `There are two features named ${name}.` });
    seen.add(name);
    if (definition.source === 'push') {
      if (expression !== null)
        problems.push({
          ...at,
          reason: 'syntax',
          sentence: 'A pushed feature has no expression: its values come from outside.',
        });
      continue;
    }
    if (expression === null) {
      problems.push({ ...at, reason: 'syntax', sentence: 'A feature computed from bars needs an expression.' });
      continue;
    }
    const compiled = compileExpression(expression, CATALOGUE);
    if (!compiled.ok) problems.push({ feature: name, ...compiled.fault });
  }
  return problems;
}

function mustCompile(expression: string | null): Expression {
  const compiled = compileExpression(expression ?? '', CATALOGUE);
  if (!compiled.ok) throw new RangeError(`${expression}: ${compiled.fault.sentence}`);
  return compiled.expression;
}

function toChecked(
  name: string,
  expression: string | null,
  program: Expression | null,
  badges: FeatureBadges | null,
): CheckedFeature {
  const memory = program?.memory ?? { kind: 'window' as const };
  return {
    ...{ name, expression, inputs: [...(program?.inputs ?? [])], warmUp: program?.warmUp ?? 0, badges },
    memory: { kind: memory.kind, settle: memory.kind === 'recursive' ? memory.settle : null },
  };
}

function taken(name: string): ProblemError {
  return new ProblemError(
    'ALREADY_EXISTS',
    `There is a feature view ${name} already. Change it, or choose another name.`,
  );
}

function ofProgram(name: string): ProblemError {
  return new ProblemError('NOT_POSSIBLE_NOW', `${name} is part of this program. Make a view of your own instead.`);
}
