"""The product on asyncio's own event loop, with the garbage collector and the thread switches as Python sets them."""

import asyncio

from ours import main

asyncio.run(main())
