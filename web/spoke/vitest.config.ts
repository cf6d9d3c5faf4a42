import { defineConfig } from 'vitest/config'

const hub = { globalSetup: 'test/hub/setup.ts', testTimeout: 40_000, hookTimeout: 40_000 }
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
