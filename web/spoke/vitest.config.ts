import { defineConfig } from 'vitest/config'

// A build server may hold a browser up for seconds: there a test has a second try, and says so.
const retry = process.env['CI'] ? 1 : 0
const hub = { globalSetup: 'test/hub/setup.ts', testTimeout: 40_000, hookTimeout: 40_000, retry }
const pace = ['test/hub/pace.test.ts']

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/{unit,package}/**/*.test.ts'] } },
      {
        test: {
          ...hub,
          name: 'hub',
          include: ['test/hub/**/*.test.ts'],
          exclude: pace,
          maxWorkers: 2, // each has a browser and a hub
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...hub, name: 'pace', include: pace, fileParallelism: false, sequence: { groupOrder: 2 } } },
    ],
  },
})
