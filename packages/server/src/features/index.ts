/** The door of the stage: frozen datasets, and what rests on rows that changed. */
export { registerBlastRadiusRoutes } from './blast-radius/blast-radius.routes.ts';
export {
  type BlastRadiusService,
  type Change,
  createBlastRadiusService,
} from './blast-radius/blast-radius.service.ts';
export { findRunsSince, findTouched } from './blast-radius/change.repository.ts';
export { type Coverage, createCoverage, overlapOf, type ReadCoverage, type Touched } from './blast-radius/coverage.ts';

export { createAugmentService } from './dataset/augment.service.ts';
export { insertMissingDataset } from './dataset/dataset.repository.ts';
export { registerDatasetRoutes } from './dataset/dataset.routes.ts';
export { createDatasetService } from './dataset/dataset.service.ts';
export { checkEvaluable } from './dataset/evaluable.ts';
export { type DatasetQuestion, type FrozenInstrument, freezeDataset } from './dataset/freeze.ts';
export { csvOf } from './dataset/table-csv.ts';
export { createFeatureComputer, type FeatureComputer } from './feature-compute/feature-computer.ts';
export {
  createFeatureStore,
  type OnlineStoreKind,
} from './feature-routes/create-feature-store.ts';
export { findInstruments } from './feature-store/historical.service.ts';
export { hashOfFeature } from './feature-view/feature-view.ts';
export {
  createSeriesService,
  type NamedSubject,
  type Series,
  type SeriesQuery,
  type SeriesService,
  type Subject,
  type SubjectReader,
  type UniverseSeries,
} from './series/series.ts';
