/**
 * The factor by which the operations of tests may be slower than usual: `BUSBAR_TEST_PATIENCE`, which is more than 1 if the addon
 * runs under sanitizers, or the processor is emulated. Limits that no correct program approaches are multiplied by it.
 */
export const patience = Number(process.env.BUSBAR_TEST_PATIENCE ?? 1);
