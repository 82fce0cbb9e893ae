import * as fc from "fast-check";

// That a property fails is enough; to look for the smallest input that fails takes longer than all other tests.
fc.configureGlobal({ endOnFailure: true });
