import { Controller, Get, Post } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { PolicyCheck } from './policy-check.js';
import { Policy } from './policy.js';

@Controller('declared')
@Policy('user')
class DeclaredController {
  @Get()
  own(): void {}

  @Post()
  @Policy('admin')
  stricter(): void {}

  notARoute(): void {}
}

@Controller('forgotten')
class ForgottenController {
  @Get()
  @Policy('public')
  open(): void {}

  @Post()
  forgotten(): void {}
}

async function start(...controllers: Array<new () => object>): Promise<void> {
  const app = await Test.createTestingModule({ imports: [DiscoveryModule], controllers, providers: [PolicyCheck] }).compile();
  try {
    await app.init();
  } finally {
    await app.close();
  }
}

describe(PolicyCheck.name, () => {
  it('lets an app start whose routes all declare a policy, each or by their controller', async () => {
    await expect(start(DeclaredController)).resolves.toBeUndefined();
  });

  it('does not let an app start that has forgotten one, and names it', async () => {
    await expect(start(DeclaredController, ForgottenController)).rejects.toThrow(
      'Routes without @Policy: ForgottenController.forgotten',
    );
  });
});
