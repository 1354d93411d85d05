"""Where what serves comes from: the registry with its runs, bundles, and the trial of both before they serve."""
