#!/usr/bin/env node
// The SDK warns about every Node below 22, on a terminal where it helps nobody.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
// Overwrites the argument list that `ps` shows, before anything slow: it may hold a password.
process.title = 'cnosdb-imexport'
import('../dist/cli/imexport.js').then((program) => program.main())
