declare const SPIRULA_VERSION: string | undefined;

/** The release, put in by the build; `dev` when run from the sources. */
export const version: string = typeof SPIRULA_VERSION === 'string' ? SPIRULA_VERSION : 'dev';
