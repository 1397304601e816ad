#!/usr/bin/env node
// The SDK warns about every Node below 22, on a terminal where it helps nobody.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
// Every running query holds one thread of libuv's pool, whose size is read once, before the first ES module loads.
process.env.UV_THREADPOOL_SIZE ??= '16'
import('../dist/cli/lite.js').then((program) => program.main())
