# The studies that read several layers: towns by the growth of their industry, the turns of regional
# industry, the policy by cohort. They need Russia's layers, so that another country runs without.
