"""What is measured on the panel: space, industry, hierarchy, development potential."""
