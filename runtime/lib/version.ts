/** The version of this package; the build puts it in. */
declare const O7S_VERSION: string;
export const version: string = O7S_VERSION;
