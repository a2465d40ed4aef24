/** Segments as a dotted path: `['steps', '2', 'nodePayload', 'code']` is `steps[2].nodePayload.code`. */
export const fieldPath = (segments: readonly string[]): string =>
  segments.reduce((path, segment) => joinPath(path, /^\d+$/.test(segment) ? `[${segment}]` : segment), '');

/** A path below another one; either may be empty. */
export const joinPath = (parent: string, child: string): string =>
  parent === '' || child === '' || child.startsWith('[') ? parent + child : `${parent}.${child}`;
