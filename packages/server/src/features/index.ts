/** The door of the stage: frozen datasets. */

export { insertMissingDataset } from './dataset/dataset.repository.ts';
export { registerDatasetRoutes } from './dataset/dataset.routes.ts';
export { createDatasetService } from './dataset/dataset.service.ts';
export { type DatasetQuestion, type FrozenInstrument, freezeDataset } from './dataset/freeze.ts';
