#!/usr/bin/env node
// Every running query holds one thread of libuv's pool, whose size is read once, before the first ES module loads.
process.env.UV_THREADPOOL_SIZE ??= '16'
import('../dist/cli/lite.js').then((program) => program.main())
