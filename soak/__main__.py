import sys

from soak.command import main

sys.exit(main())
