import type { Command } from '../command.ts';
import { abCommands } from './ab.ts';
import { accountCommands } from './account.ts';
import { alertCommands } from './alerts.ts';
import { anomalyCommands } from './anomalies.ts';
import { automlCommands } from './automl.ts';
import { blastRadiusCommands } from './blast-radius.ts';
import { caseCommands } from './cases.ts';
import { dataCommands } from './data.ts';
import { datasetCommands } from './datasets.ts';
import { dependenceCommands } from './dependence.ts';
import { doctorCommands } from './doctor.ts';
import { driftCommands } from './drift.ts';
import { evidenceCommands } from './evidence.ts';
import { factorsCommands } from './factors.ts';
import { featureCommands } from './features.ts';
import { feedCommands } from './feeds.ts';
import { foreignCommands } from './foreign.ts';
import { healthCommands } from './health.ts';
import { importCommands } from './import.ts';
import { indexCommands } from './indexes.ts';
import { keyCommands } from './keys.ts';
import { limitCommands } from './limits.ts';
import { modelCommands } from './models.ts';
import { operateCommands } from './operate.ts';
import { patternCommands } from './patterns.ts';
import { peopleCommands } from './people.ts';
import { predictionCommands } from './predictions.ts';
import { regimeCommands } from './regimes.ts';
import { runCommands } from './runs.ts';
import { scheduleCommands } from './schedules.ts';
import { statusCommands } from './status.ts';
import { taskCommands } from './tasks.ts';
import { trainingCommands } from './training.ts';
import { trainingRunCommands } from './training-runs.ts';
import { truthCommands } from './truth.ts';
import { universeCommands } from './universes.ts';
import { volatilityCommands } from './volatility.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  ...statusCommands,
  ...healthCommands,
  ...alertCommands,
  ...accountCommands,
  ...keyCommands,
  ...peopleCommands,
  ...importCommands,
  ...dataCommands,
  ...runCommands,
  ...feedCommands,
  ...caseCommands,
  ...blastRadiusCommands,
  ...truthCommands,
  ...universeCommands,
  ...indexCommands,
  ...regimeCommands,
  ...anomalyCommands,
  ...dependenceCommands,
  ...factorsCommands,
  ...datasetCommands,
  ...volatilityCommands,
  ...patternCommands,
  ...featureCommands,
  ...modelCommands,
  ...foreignCommands,
  ...trainingRunCommands,
  ...predictionCommands,
  ...trainingCommands,
  ...automlCommands,
  ...driftCommands,
  ...abCommands,
  ...taskCommands,
  ...scheduleCommands,
  ...evidenceCommands,
  ...limitCommands,
  ...doctorCommands,
  ...operateCommands,
];
