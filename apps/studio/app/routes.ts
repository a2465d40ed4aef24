import type { ComponentType } from 'preact';
import { CollectionPage } from '../collections/collection-page.js';
import { GalleryPage } from '../collections/gallery-page.js';
import { PublicPage } from '../collections/public-page.js';
import { WorkPage } from '../collections/work-page.js';
import { CreditsPage } from '../credits/credits-page.js';
import { JobPage } from '../jobs/job-page.js';
import { SketchPage } from '../sketches/sketch-page.js';
import { WorkflowPage } from '../workflows/workflow-page.js';
import { WorkflowsPage } from '../workflows/workflows-page.js';
import { NotFoundPage } from './not-found-page.js';

export interface Route {
  /** Takes the id of the path, or an empty one. */
  Screen: ComponentType<{ id: string }>;
  parameter: string;
  /** Needs no token. */
  isOpen: boolean;
}

const SCREENS: Array<[pattern: RegExp, Screen: Route['Screen'], isOpen?: 'open']> = [
  [/^\/$/, WorkflowsPage],
  [/^\/workflows\/([\w-]+)$/, WorkflowPage],
  [/^\/collections\/([\w-]+)$/, CollectionPage],
  [/^\/jobs\/([\w-]+)$/, JobPage],
  [/^\/sketch$/, SketchPage],
  [/^\/work$/, WorkPage],
  [/^\/credits$/, CreditsPage],
  [/^\/gallery$/, GalleryPage, 'open'],
  [/^\/gallery\/([\w-]+)$/, PublicPage, 'open'],
];

export function routeOf(path: string): Route {
  for (const [pattern, Screen, isOpen] of SCREENS) {
    const found = pattern.exec(path);
    if (found) return { Screen, parameter: found[1] ?? '', isOpen: isOpen === 'open' };
  }
  return { Screen: NotFoundPage, parameter: '', isOpen: true };
}
