/** The version of CnosDB whose HTTP API and SQL this server speaks: clients choose their dialect by it. */
export const COMPATIBLE_VERSION = '2.4.3'
