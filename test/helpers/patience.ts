/**
 * By how much what tests wait for may be slower than usual: `BUSBAR_TEST_PATIENCE`, which is more than 1 where the addon
 * runs under sanitizers, or the processor is emulated. Limits that no right program comes near are multiplied by it.
 */
export const patience = Number(process.env.BUSBAR_TEST_PATIENCE ?? 1);
