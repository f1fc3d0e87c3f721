/** What a command says that failed and has no more to say: Ceph gives the text of the errno. */
export const BUSY = '(16) Device or resource busy';
export const EXISTS = '(17) File exists';
export const INVALID = '(22) Invalid argument';
export const NO_ENTRY = '(2) No such file or directory';
export const NOT_EMPTY = '(39) Directory not empty';
export const LOOP = '(40) Too many levels of symbolic links';
export const PERMISSION_DENIED = '(13) Permission denied';
export const TOO_LARGE = '(75) Value too large for defined data type';
