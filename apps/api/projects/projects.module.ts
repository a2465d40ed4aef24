import { Module } from '@nestjs/common';
import { Projects } from '#libs/collections/projects.js';
import { Database } from '#libs/database/database.js';
import { ProjectsController } from './projects.controller.js';

@Module({
  controllers: [ProjectsController],
  providers: [
    { provide: Projects, inject: [Database], useFactory: (database: Database) => new Projects(database) },
  ],
})
export class ProjectsModule {}
